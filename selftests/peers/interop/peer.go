// SPDX-License-Identifier: GPL-2.0-or-later

// peer server|client PORT KEY=VALUE...: Go's crypto/tls as a peer. A server
// echoes; a client says hello, once or (resume=1) twice with a session.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
)

var groups = map[string]tls.CurveID{
	"x25519": tls.X25519, "secp256r1": tls.CurveP256, "secp384r1": tls.CurveP384, "secp521r1": tls.CurveP521,
}

func die(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func configure(o map[string]string) *tls.Config {
	c := &tls.Config{ServerName: "server.test", MinVersion: tls.VersionTLS13, MaxVersion: tls.VersionTLS13}
	if o["version"] == "1.2" {
		c.MinVersion, c.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	}
	if o["group"] != "" {
		c.CurvePreferences = []tls.CurveID{groups[o["group"]]}
	}
	for _, s := range tls.CipherSuites() {
		if s.Name == o["suite"] {
			c.CipherSuites = []uint16{s.ID}
		}
	}
	if o["cert"] != "" {
		cert, err := tls.LoadX509KeyPair(o["cert"], o["key"])
		die(err)
		c.Certificates = []tls.Certificate{cert}
	}
	pem, err := os.ReadFile(o["ca"])
	die(err)
	c.RootCAs = x509.NewCertPool()
	c.RootCAs.AppendCertsFromPEM(pem)
	c.ClientCAs = c.RootCAs
	if o["auth"] == "1" {
		c.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return c
}

func serve(address string, c *tls.Config) {
	l, err := tls.Listen("tcp", address, c)
	die(err)
	for {
		conn, err := l.Accept()
		die(err)
		go func(conn net.Conn) {
			io.Copy(conn, conn)
			conn.Close()
		}(conn)
	}
}

func connect(address string, c *tls.Config) {
	conn, err := tls.Dial("tcp", address, c)
	die(err)
	fmt.Fprintf(conn, "hello\n")
	answer := make([]byte, 6)
	_, err = io.ReadFull(conn, answer)
	die(err)
	state := conn.ConnectionState()
	fmt.Printf("%s %s resumed %v\n", strings.TrimSpace(string(answer)), tls.CipherSuiteName(state.CipherSuite),
		state.DidResume)
	conn.Close()
}

func main() {
	o := map[string]string{}
	for _, a := range os.Args[3:] {
		pair := strings.SplitN(a, "=", 2)
		o[pair[0]] = pair[1]
	}
	c := configure(o)
	address := "127.0.0.1:" + os.Args[2]
	if os.Args[1] == "server" {
		serve(address, c)
	}
	c.ClientSessionCache = tls.NewLRUClientSessionCache(4)
	connect(address, c)
	if o["resume"] == "1" {
		connect(address, c)
	}
}
