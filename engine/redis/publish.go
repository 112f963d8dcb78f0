package redis

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/engine/internal/packed"
)

// Publish implements engine.Log. What can be done before the order is known is done here, on the caller's goroutine.
func (e *Engine) Publish(ctx context.Context, p engine.Proposal, done func(engine.Receipt, error)) {
	if err := e.publish(ctx, p, done); err != nil {
		done(engine.Receipt{}, err)
	}
}

func (e *Engine) publish(ctx context.Context, p engine.Proposal, done func(engine.Receipt, error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	rules := e.options.Rules(p.Channel)
	if (p.Map != nil) != (rules.Kind == engine.KindMap) {
		return errWrongKind
	}
	return e.outbox.push(ctx, e.prepare(p, rules, done))
}

func (e *Engine) prepare(p engine.Proposal, rules engine.Rules, done func(engine.Receipt, error)) proposal {
	pub := engine.Publication{User: p.User, Sender: p.Sender, Message: p.Message}
	size := pub.Size()
	q := proposal{channel: p.Channel, size: size, rules: rules, done: done}
	q.payload = packed.AppendBytes(make([]byte, 0, size+64), p.Sender)
	start := len(q.payload)
	if q.rules.Kind == engine.KindMap {
		q.change = &mapChange{MapChange: *p.Map}
		q.payload = appendChange(q.payload, p.Map)
		if p.Map.Delete {
			p.Data.Body = nil
		}
	}
	q.payload = appendBody(q.payload, &p)
	q.body = q.payload[start:]
	if p.Idem != "" {
		sum := sha256.Sum256(q.body)
		q.keyed, q.digest = true, string(sum[:16])
		q.key = e.keys.channel(p.Channel).idempotencyKey(p.User, p.Idem)
	}
	return q
}

// commit has one script call commit proposals of one channel, in order, and answers them.
func (e *Engine) commit(batch []proposal) {
	script, call := publishScript, e.publishCall
	if batch[0].change != nil {
		script, call = changeScript, e.changeCall
	}
	keys, args := call(batch)
	var answers []string
	err := e.announce(context.Background(), batch)
	if err == nil {
		answers, err = e.exec(context.Background(), script, keys, args).AsStrSlice()
	}
	if err == nil && len(answers) != len(batch) {
		err = errCorrupt
	}
	err = unavailable("publish", err)
	durability := e.durabilityOf(batch[0].rules)
	for i := range batch {
		if err != nil {
			batch[i].done(engine.Receipt{}, err)
			continue
		}
		receipt, err := decodeAnswer(answers[i])
		receipt.Durability = durability
		if err != nil {
			receipt = engine.Receipt{}
		}
		batch[i].done(receipt, err)
	}
}

// publishCall returns the keys and arguments of the publish script.
func (e *Engine) publishCall(batch []proposal) (keys, args []string) {
	names := e.keys.channel(batch[0].channel)
	rules := batch[0].rules
	keys = append(make([]string, 0, 2+len(batch)), names.meta, names.entries)
	args = append(make([]string, 0, 10+4*len(batch)),
		names.feed, newEpoch(), e.now(), flag(rules.Kind == engine.KindLog),
		strconv.Itoa(max(0, rules.MaxPublications)), strconv.FormatInt(max(0, rules.MaxBytes), 10), milliseconds(rules.MaxAge),
		milliseconds(metaTTL(rules)), milliseconds(idemWindow(rules)), milliseconds(idemWindow(rules)+idemSlack))
	for i := range batch {
		p := &batch[i]
		if p.keyed {
			keys = append(keys, p.key)
		}
		args = append(args, p.digest, strconv.FormatUint(uint64(contentHash(p.body)), 10), strconv.Itoa(p.size),
			rueidis.BinaryString(p.payload))
	}
	return keys, args
}

// answerBytes is the length of a position in an answer; keyRecordBytes that of what is remembered under a key.
const (
	answerBytes    = 8 + 8 + 4
	keyRecordBytes = 16 + answerBytes + 8
)

// refusals are what scripts answer to a message that they do not commit.
var refusals = map[string]error{
	"reused": engine.ErrIdemReused, "version": engine.ErrVersionMismatch, "keys": engine.ErrTooManyKeys,
}

// decodeAnswer reads what a script says of one message.
func decodeAnswer(answer string) (r engine.Receipt, err error) {
	switch len(answer) {
	case keyRecordBytes:
		r.Duplicate = true
		answer = answer[16 : 16+answerBytes]
	case answerBytes:
	default:
		if err := refusals[answer]; err != nil {
			return r, err
		}
		return r, fmt.Errorf("%w: answer to a publish", errCorrupt)
	}
	d := newDecoder([]byte(answer))
	r.Position = engine.Position{Epoch: d.Uint64(), Offset: uint64(d.number()), Tag: d.Uint32()}
	if !d.OK() {
		return engine.Receipt{}, fmt.Errorf("%w: answer to a publish", errCorrupt)
	}
	return r, nil
}

// How long Redis keeps what belongs to a channel.
const (
	// liveTTL is for channels that keep nothing: nodes that listen renew it.
	liveTTL = 10 * time.Minute
	// emptyTTL is for logs that never had a message. After that it begins a new epoch, which loses nothing.
	emptyTTL = 24 * time.Hour
	// keptTTL is how much longer than its entries a log of limited age is remembered. After that it begins a new epoch.
	keptTTL = 24 * time.Hour
	// idemSlack is how much longer an idempotency key is kept than it is valid.
	idemSlack = 10 * time.Second
)

// metaTTL returns how long a channel is remembered after its last message; zero: for good.
func metaTTL(r engine.Rules) time.Duration {
	switch {
	case r.Kind == engine.KindPub:
		return liveTTL
	case r.MaxAge > 0:
		return r.MaxAge + keptTTL
	}
	return 0
}

func idemWindow(r engine.Rules) time.Duration {
	if r.IdemWindow > 0 {
		return r.IdemWindow
	}
	return engine.DefaultIdemWindow
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

func flag(set bool) string {
	if set {
		return "1"
	}
	return "0"
}
