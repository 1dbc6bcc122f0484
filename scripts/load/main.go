// Command load puts a release build of vwmp under everything at once that it
// must stand: starts of executions, idle sockets, sockets that never read,
// clients that send a byte at a time, and normal reads, whose times are what
// others feel. It prints a table and ends with 1 where a bound does not hold.
//
// Run it with "make load", from the root of the repository.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"text/tabwriter"
	"time"
)

// plan says what is done at once, and for how long.
type plan struct {
	binary  string
	seconds int
	// starts and reads are those of a second.
	starts, reads                int
	idle, deaf, slow             int
	mostMemory                   int64
	mostWait, mostClose, mostEnd time.Duration
}

func readPlan() plan {
	var p plan
	flag.StringVar(&p.binary, "vwmp", "bin/vwmp", "the program to load")
	flag.IntVar(&p.seconds, "seconds", 60, "how long")
	flag.IntVar(&p.starts, "starts", 500, "executions that are started in a second")
	flag.IntVar(&p.reads, "reads", 200, "normal requests of a second")
	flag.IntVar(&p.idle, "idle", 5000, "sockets to which nothing happens")
	flag.IntVar(&p.deaf, "deaf", 100, "sockets that never read")
	flag.IntVar(&p.slow, "slow", 1000, "clients that send a byte of a header a second")
	memory := flag.Int64("memory", 200, "bound of the server's resident memory, in MB")
	flag.DurationVar(&p.mostWait, "p99", 100*time.Millisecond, "bound of a normal request's p99")
	flag.DurationVar(&p.mostEnd, "drain", time.Minute, "bound of the time until all executions have ended")
	flag.Parse()
	p.mostMemory, p.mostClose = *memory*1e6, 13*time.Second
	return p
}

// figure is a row of the table; ok is false where its bound does not hold.
type figure struct {
	name, measured, bound string
	ok                    bool
}

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	figures, err := run(ctx, readPlan())
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 3, ' ', 0)
	fmt.Fprintln(out, "FIGURE\tMEASURED\tBOUND\t")
	for _, f := range figures {
		word := ""
		if !f.ok {
			word = "FAILS"
			err = errors.Join(err, fmt.Errorf("%s: %s", f.name, f.measured))
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", f.name, f.measured, f.bound, word)
	}
	if err := errors.Join(err, out.Flush()); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		cancel()
		os.Exit(1) //nolint:gocritic // What is deferred was done.
	}
}

func run(ctx context.Context, p plan) (figures []figure, err error) {
	dir, err := os.MkdirTemp("", "vwmp-load-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s, err := startServer(ctx, p, dir)
	if err != nil {
		return nil, err
	}
	defer s.kill()
	resting, err := s.quiet(ctx)
	if err != nil {
		return nil, err
	}
	alone := s.read(ctx, p.reads, 3*time.Second)
	c, err := s.gather(ctx, p)
	if err != nil {
		return nil, err
	}
	crowded, err := s.quiet(ctx)
	if err != nil {
		return nil, err
	}
	figures = append(figures, figure{fmt.Sprintf("memory of a socket that is idle, of %d", p.idle), fmt.Sprintf("%.1f KB", float64(crowded.memory-resting.memory)/float64(max(p.idle, 1))/1e3), "<= 50 KB", p.idle < 1000 || crowded.memory-resting.memory <= 50e3*int64(p.idle)})

	watch := s.watchMemory(ctx)
	done := make(chan *traffic, 1)
	c.begin(ctx)
	go func() { done <- s.start(ctx, p) }()
	beside := s.read(ctx, p.reads, time.Duration(p.seconds)*time.Second)
	sent := <-done
	slow := c.end(ctx, resting)
	figures = append(figures, beside.figures(alone, p)...)
	figures = append(figures, sent.figures(p)...)
	figures = append(figures, slow.figures(p)...)

	kept, err := s.settle(ctx, p, sent)
	figures = append(figures, kept...)
	if err != nil {
		return figures, err
	}
	most := watch()
	figures = append(figures, figure{"host RSS, the most", fmt.Sprintf("%s, %s of it not of mapped files", mb(most.memory), mb(most.own)), "< " + mb(p.mostMemory), most.memory < p.mostMemory})
	left, err := s.left(ctx, resting)
	figures = append(figures, left...)
	if err != nil {
		return figures, err
	}
	ended, err := s.stop(ctx)
	return append(figures, ended), err
}

func mb(bytes int64) string { return fmt.Sprintf("%.0f MB", float64(bytes)/1e6) }
