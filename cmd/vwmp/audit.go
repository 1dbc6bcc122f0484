package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/vwmp/vwmp/store/data"
)

type auditFlags struct {
	who, action, object, result, since, until, output string
	limit                                             int
}

func newAudit() *cobra.Command {
	f := &auditFlags{}
	command := &cobra.Command{
		Use: "audit", Short: "Show who did what", Args: cobra.NoArgs,
		Long: `Shows the audit trail, the newest first: every change, and every sign-in, with who, what, on what, from where and
with which result. --output jsonl exports all that match as lines of JSON, the oldest first. Each record has the SHA-256
of itself and of the one before; "vwmp doctor" follows that chain.`,
		Example: `  vwmp audit --who ann --since 24h
  vwmp audit --action auth.sign-in
  vwmp audit --output jsonl > audit.jsonl`,
	}
	where := targetFlags(command)
	flags := command.Flags()
	flags.StringVar(&f.who, "who", "", "only of this account")
	flags.StringVar(&f.action, "action", "", "only this action, such as workflow.update")
	flags.StringVar(&f.object, "object", "", "only objects that begin so, such as workflows/ID")
	flags.StringVar(&f.result, "result", "", "only with this result: done, refused or failed")
	flags.StringVar(&f.since, "since", "", "from this time on: RFC 3339, or how long ago, such as 24h")
	flags.StringVar(&f.until, "until", "", "before this time, in the same way")
	flags.IntVar(&f.limit, "limit", 50, "how many at most, 1 to 1,000; an export has all")
	flags.StringVarP(&f.output, "output", "o", "table", "how to print: table, json, yaml or jsonl")
	command.RunE = func(cmd *cobra.Command, _ []string) error {
		query, err := f.query(time.Now())
		if err != nil {
			return err
		}
		c, err := where.connect(cmd)
		if err != nil {
			return err
		}
		defer c.close()
		if f.output == "jsonl" {
			return exportAudit(cmd, c, query)
		}
		query.Set("limit", strconv.Itoa(f.limit))
		var list struct {
			Records []data.AuditRecord `json:"records"`
		}
		if err := c.call(cmd.Context(), http.MethodGet, "/audit/", query, nil, &list); err != nil {
			return err
		}
		return printValue(cmd.OutOrStdout(), f.output, list.Records, func(t *table) { drawAudit(t, list.Records) })
	}
	return command
}

// query writes the filter as the API reads it.
func (f *auditFlags) query(now time.Time) (url.Values, error) {
	query := url.Values{}
	for name, value := range map[string]string{"who": f.who, "action": f.action, "object": f.object, "result": f.result} {
		if value != "" {
			query.Set(name, value)
		}
	}
	for name, value := range map[string]string{"since": f.since, "until": f.until} {
		if value == "" {
			continue
		}
		if age, err := time.ParseDuration(value); err == nil {
			value = now.Add(-age).UTC().Format(time.RFC3339)
		}
		if _, err := time.Parse(time.RFC3339, value); err != nil {
			return nil, usageError("--%s must be a time such as 2026-01-31T12:00:00Z, or how long ago, such as 24h; not %q", name, value)
		}
		query.Set(name, value)
	}
	return query, nil
}

func drawAudit(t *table, records []data.AuditRecord) {
	t.row("#", "TIME", "WHO", "ACTION", "OBJECT", "RESULT", "FROM", "DETAIL")
	for i := range records {
		r := &records[i]
		who := r.Who
		if who == "" {
			who = "-"
		}
		t.row(strconv.FormatUint(r.Seq, 10), r.Time.Local().Format("2006-01-02 15:04:05"), who, r.Action, r.Object, r.Result, r.Address, r.Detail)
	}
}

// exportAudit prints all that match, page after page.
func exportAudit(cmd *cobra.Command, c *client, query url.Values) error {
	query.Set("format", "jsonl")
	for {
		response, err := c.do(cmd.Context(), request{method: http.MethodGet, path: "/audit/", query: query})
		if err != nil {
			return err
		}
		var page bytes.Buffer
		_, err = page.ReadFrom(response.Body)
		_ = response.Body.Close()
		if err != nil {
			return fmt.Errorf("read the audit trail: %w", err)
		}
		if _, err := cmd.OutOrStdout().Write(page.Bytes()); err != nil {
			return err
		}
		if response.Header.Get("Link") == "" {
			return nil
		}
		// Another page follows the last line of this one.
		lines := bytes.Split(bytes.TrimSpace(page.Bytes()), []byte("\n"))
		var last data.AuditRecord
		if err := json.Unmarshal(lines[len(lines)-1], &last); err != nil {
			return fmt.Errorf("read the audit trail: %w", err)
		}
		query.Set("cursor", strconv.FormatUint(last.Seq, 10))
	}
}
