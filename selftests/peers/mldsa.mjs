// SPDX-License-Identifier: GPL-2.0-or-later
// mldsa.mjs MLDSA-PEER ML-DSA.JS: our ML-DSA (mldsa-peer.c) against @noble/post-quantum: keys,
// signatures with and without randomness byte for byte, and each verifies the other's. TAP.
import { createInterface } from 'node:readline';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { pathToFileURL } from 'node:url';

const rounds = 12;
const noble = await import(pathToFileURL(process.argv[3]));
const peer = spawn(process.argv[2], { stdio: ['pipe', 'pipe', 'inherit'] });
const lines = createInterface({ input: peer.stdout })[Symbol.asyncIterator]();
const hex = (bytes) => Buffer.from(bytes).toString('hex');
let num = 0, failed = 0;

async function ask(...words) {
	peer.stdin.write(words.join(' ') + '\n');
	return (await lines.next()).value;
}

function ok(good, name) {
	num++;
	failed += !good;
	console.log(`${good ? '' : 'not '}ok ${num} - ${name}`);
}

async function round(set, dsa, i) {
	const seed = randomBytes(32), key = dsa.keygen(seed), msg = randomBytes(1 + 97 * i), name = `ML-DSA-${set}, ${msg.length} bytes`;
	const random = i % 2 ? randomBytes(32) : new Uint8Array(32);
	const sig = dsa.sign(msg, key.secretKey, { extraEntropy: random });
	const ours = await ask('sign', set, hex(seed), hex(random), hex(msg));
	const bad = Buffer.from(sig);

	bad[randomBytes(2).readUInt16LE() % bad.length] ^= 1 << i % 8;
	ok(await ask('generate', set, hex(seed)) === `${hex(key.publicKey)} ${hex(key.secretKey)}`, `${name}: the same keys`);
	ok(ours === hex(sig), `${name}: the same signature`);
	ok(dsa.verify(Buffer.from(ours, 'hex'), msg, key.publicKey), `${name}: noble verifies ours`);
	ok(await ask('verify', set, hex(key.publicKey), hex(msg), hex(sig)) === '0', `${name}: we verify noble's`);
	ok(await ask('verify', set, hex(key.publicKey), hex(msg), hex(bad)) !== '0', `${name}: we refuse an altered one`);
}

for (const [set, dsa] of [[44, noble.ml_dsa44], [65, noble.ml_dsa65], [87, noble.ml_dsa87]])
	for (let i = 0; i < rounds; i++)
		await round(set, dsa, i);
peer.stdin.end();
console.log(`1..${num}\n# ${num - failed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
