package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// tlsConfig names the files that the server shows itself with, in PEM.
type tlsConfig struct {
	// Cert has the certificate first, and then those between it and the one
	// that clients trust.
	Cert string `json:"cert" yaml:"cert" doc:"file with the certificate, and those that vouch for it"`
	Key  string `json:"key" yaml:"key" doc:"file with its private key"`
}

func (c *tlsConfig) used() bool { return c.Cert != "" || c.Key != "" }

// rereadEvery is how long a certificate is used before its files are looked at
// again: a renewal needs no restart.
const rereadEvery = 10 * time.Second

// certificate is one whose files may be renewed while it is in use.
type certificate struct {
	files tlsConfig
	log   *slog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	// changed are the times of the files that current was read from, looked
	// when they were last compared.
	changed [2]time.Time
	looked  time.Time
}

// open reads the certificate; nil where the server has none.
func (c *tlsConfig) open(logger *slog.Logger) (*tls.Config, error) {
	if !c.used() {
		return nil, nil
	}
	if c.Cert == "" || c.Key == "" {
		return nil, usageError("TLS needs both a certificate (--tls-cert) and its key (--tls-key)")
	}
	own := &certificate{files: *c, log: logger}
	if err := own.read(); err != nil {
		return nil, &exitError{exitRefused, fmt.Errorf("TLS: %w", err)}
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: own.get, NextProtos: []string{"http/1.1"}}, nil
}

func (c *certificate) times() (times [2]time.Time, err error) {
	for i, file := range []string{c.files.Cert, c.files.Key} {
		info, err := os.Stat(file)
		if err != nil {
			return times, err
		}
		times[i] = info.ModTime()
	}
	return times, nil
}

func (c *certificate) read() error {
	times, err := c.times()
	if err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(c.files.Cert, c.files.Key)
	if err != nil {
		return fmt.Errorf("read %s and %s: %w", c.files.Cert, c.files.Key, err)
	}
	if now := time.Now(); now.After(pair.Leaf.NotAfter) {
		c.log.Warn("the TLS certificate has expired; clients will refuse it", "file", c.files.Cert, "expired", pair.Leaf.NotAfter)
	}
	c.current, c.changed, c.looked = &pair, times, time.Now()
	return nil
}

// get gives a handshake the certificate. One that was renewed and can't be
// read leaves the one before it in use.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.looked) < rereadEvery {
		return c.current, nil
	}
	c.looked = time.Now()
	times, err := c.times()
	if err == nil && times != c.changed {
		if err = c.read(); err == nil {
			c.log.Info("the TLS certificate was renewed", "file", c.files.Cert, "expires", c.current.Leaf.NotAfter)
		}
	}
	if err != nil {
		c.log.Warn("a renewed TLS certificate can't be used; the one before it stays", "error", err)
	}
	return c.current, nil
}

// noted is a server that runs on this machine, as its note in the data folder
// tells of it.
type noted struct {
	serverNote
	http *http.Client
}

// readNote reads the note in a data folder; an error where there is none.
func readNote(data string) (*noted, error) {
	text, err := os.ReadFile(filepath.Join(data, serverFile))
	if err != nil {
		return nil, err
	}
	n := &noted{http: newHTTPClient()}
	if err := json.Unmarshal(text, &n.serverNote); err != nil {
		return nil, err
	}
	if n.Certificate == "" {
		return n, nil
	}
	trusted, err := trust(n.Certificate)
	if err != nil {
		return nil, err
	}
	transport, _ := n.http.Transport.(*http.Transport)
	transport.TLSClientConfig = trusted
	return n, nil
}

// trust takes a server on this machine for the one that has the certificate in
// a file, by whatever address it is reached: who can write the note that names
// the file is its owner.
func trust(file string) (*tls.Config, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	roots.AppendCertsFromPEM(text)
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s holds no certificate in PEM", file)
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
	switch {
	case len(leaf.DNSNames) > 0:
		config.ServerName = leaf.DNSNames[0]
	case len(leaf.IPAddresses) > 0:
		config.ServerName = leaf.IPAddresses[0].String()
	}
	return config, nil
}
