// SPDX-License-Identifier: GPL-2.0-or-later
// node peer.js server|client PORT KEY=VALUE...: Node's tls as a peer. A server
// echoes; a client says hello, once or (resume=1) twice with a session.
'use strict';
const fs = require('fs'), tls = require('tls');
const [role, port] = process.argv.slice(2, 4);
const o = Object.fromEntries(process.argv.slice(4).map((a) => a.split(/=(.*)/s)));
const read = (name) => o[name] && fs.readFileSync(o[name]);
const version = o.version === '1.2' ? 'TLSv1.2' : 'TLSv1.3';
const common = {
	cert: read('cert'), key: read('key'), ca: read('ca'), ecdhCurve: o.group, ciphers: o.suite,
	minVersion: version, maxVersion: version,
};

function serve() {
	const options = { ...common, requestCert: o.auth === '1', rejectUnauthorized: o.auth === '1' };
	tls.createServer(options, (s) => {
		s.on('error', () => {});
		s.pipe(s);
	}).listen(port, '127.0.0.1');
}

function connect(session, left) {
	let next, text = '';
	const s = tls.connect({ ...common, session, host: '127.0.0.1', port, servername: 'server.test' });
	s.on('session', (n) => { next = n; });
	s.on('secureConnect', () => s.write('hello\n'));
	s.on('data', (d) => {
		text += d;
		if (!text.includes('hello\n'))
			return;
		console.log('hello', s.getProtocol(), s.getCipher().standardName, s.isSessionReused() ? 'reused' : 'new');
		// The tickets may be behind the answer.
		setTimeout(() => s.end(), next || !left ? 0 : 200);
	});
	s.on('error', (e) => { console.log(e.message); process.exit(1); });
	s.on('close', () => left && connect(next, left - 1));
}

if (role === 'server')
	serve();
else
	connect(undefined, o.resume === '1' ? 1 : 0);
