package proxies

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/earshot/earshot/internal/testkit"
)

// proxy is one kind of proxy and how it is run.
type proxy struct {
	name     string
	language string // of its snippet
	own      string // settings that say no more than what to pass on
	blocks   bool   // with these no WebSocket gets through
	frame    func(dir, settings string) string
	command  func(file string) []string
}

var proxies = []proxy{
	{
		name: "nginx", language: "nginx", blocks: true,
		own:   "server {\n\tlisten 80;\n\tlocation / { proxy_pass http://127.0.0.1:8000; proxy_set_header Host $http_host; }\n}",
		frame: nginxFrame, command: func(file string) []string { return []string{"nginx", "-c", file} },
	},
	{
		name: "haproxy", language: "haproxy",
		own: "defaults\n\tmode http\n\ttimeout connect 5s\n\ttimeout client 50s\n\ttimeout server 50s\n" +
			"frontend web\n\tbind :80\n\tdefault_backend b\nbackend b\n\tserver one 127.0.0.1:8000\n",
		frame:   func(_, settings string) string { return settings },
		command: func(file string) []string { return []string{"haproxy", "-db", "-f", file} },
	},
	{
		name: "apache2", language: "apache", blocks: true,
		own:     "<VirtualHost *:80>\n\tProxyPreserveHost On\n\tProxyPass / http://127.0.0.1:8000/\n</VirtualHost>\n",
		frame:   apacheFrame,
		command: func(file string) []string { return []string{"apache2", "-DFOREGROUND", "-f", file} },
	},
	{
		name: "caddy", language: "caddyfile",
		own:   ":80 {\n\treverse_proxy 127.0.0.1:8000\n}\n",
		frame: func(_, settings string) string { return "{\n\tadmin off\n\tauto_https off\n}\n" + settings },
		command: func(file string) []string {
			return []string{"caddy", "run", "--adapter", "caddyfile", "--config", file}
		},
	},
}

func nginxFrame(dir, settings string) string {
	user := ""
	if os.Getuid() == 0 {
		user = "user root;\n"
	}
	return user + "daemon off;\npid " + dir + "/pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n" +
		"client_body_temp_path " + dir + "/body;\nproxy_temp_path " + dir + "/proxy;\nfastcgi_temp_path " + dir + "/fastcgi;\n" +
		"uwsgi_temp_path " + dir + "/uwsgi;\nscgi_temp_path " + dir + "/scgi;\n" + settings + "\n}\n"
}

func apacheFrame(dir, settings string) string {
	var modules strings.Builder
	for _, name := range []string{"mpm_event", "authz_core", "proxy", "proxy_http"} {
		modules.WriteString("LoadModule " + name + "_module /usr/lib/apache2/modules/mod_" + name + ".so\n")
	}
	user := ""
	if os.Getuid() == 0 {
		user = "User www-data\nGroup www-data\n"
	}
	return user + "ServerRoot " + dir + "\nServerName localhost\nPidFile " + dir + "/pid\nDefaultRuntimeDir " + dir +
		"\nErrorLog /dev/stderr\nMutex file:" + dir + " default\n" + modules.String() + settings
}

// start runs the proxy in front of the server at url, with the settings of the page or its own, and returns its address.
func (p *proxy) start(t *testing.T, url string, documented bool) string {
	t.Helper()
	server := strings.TrimPrefix(url, "http://")
	listen, dir := freeAddress(t), t.TempDir()
	settings := addressed(t, p.own, listen, server)
	if documented {
		settings = snippet(t, p.language, listen, server)
	}
	file := filepath.Join(dir, "settings")
	if err := os.WriteFile(file, []byte(p.frame(dir, settings)), 0o600); err != nil {
		t.Fatal(err)
	}
	p.run(t, dir, p.command(file))
	testkit.Eventually(t, p.name+" listens", func() bool {
		conn, err := net.Dial("tcp", listen)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	return "http://" + listen
}

// run runs the program in a process group of its own until the end of the test.
func (p *proxy) run(t *testing.T, dir string, command []string) {
	t.Helper()
	said := new(bytes.Buffer)
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "HOME="+dir)
	cmd.Stdout, cmd.Stderr = said, said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // its workers too
		_ = cmd.Wait()                                      // reports the kill
		if t.Failed() {
			t.Logf("%s said: %s", p.name, said)
		}
	})
}

// freeAddress returns an address that nobody listened at a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
