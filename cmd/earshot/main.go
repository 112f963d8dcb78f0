// Command earshot is the server, and a client for the command line.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2 // the command line or the configuration is wrong
)

type cli struct {
	Serve   serveCommand   `cmd:"" help:"Run the server."`
	Demo    demoCommand    `cmd:"" help:"Run the server with a chat to open in a browser."`
	Pub     pubCommand     `cmd:"" help:"Publish a message."`
	Sub     subCommand     `cmd:"" help:"Print what is published."`
	Token   tokenCommand   `cmd:"" help:"Sign a token, for development."`
	Bench   benchCommand   `cmd:"" help:"Measure what a server costs and how fast it is."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	os.Exit(code)
}

// run executes one command line and returns the exit code. A command's Run method may take a context, which ends with
// SIGINT or SIGTERM, and an io.Writer, the standard output.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	parser := kong.Must(&cli{},
		kong.Name("earshot"),
		kong.Description("Live, two-way communication for applications: channels that lose nothing, over one small server."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Writers(stdout, stderr),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.BindTo(stdout, (*io.Writer)(nil)),
	)
	command, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(stderr, "earshot: %v\nRun \"%s --help\" for what there is.\n", err, understood(err))
		return exitUsage
	}
	if err := command.Run(); err != nil {
		fmt.Fprintf(stderr, "earshot %s: %v\n", command.Selected().Name, err)
		return exitCode(err)
	}
	return exitOK
}

// understood returns the part of a wrong command line that names a command.
func understood(err error) string {
	if e := new(kong.ParseError); errors.As(err, &e) && e.Context.Selected() != nil {
		return e.Context.Selected().FullPath()
	}
	return "earshot"
}

// usageError marks an error of the command line or the configuration.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func exitCode(err error) int {
	if errors.As(err, new(usageError)) {
		return exitUsage
	}
	return exitFailure
}
