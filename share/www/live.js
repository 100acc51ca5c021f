// SPDX-License-Identifier: GPL-2.0-or-later
// The live figures: /.ktls/status once a second, over this very connection.
"use strict";

const SECONDS = 60;
const history = [];
let last = null;

const text = (element, value) => { if (element.textContent !== value) element.textContent = value; };
const grouped = (n) => Number(n).toLocaleString("en");

function bytes(n) {
	const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
	let i = 0;
	for (; n >= 1024 && i < units.length - 1; i++)
		n /= 1024;
	return (i ? n.toFixed(1) : n) + " " + units[i];
}

function showState(message) {
	const state = document.getElementById("state");
	state.hidden = !message;
	text(state, message || "");
}

function showSession(session) {
	for (const element of document.querySelectorAll("[data-session]")) {
		let value = session[element.dataset.session];
		if (element.dataset.session === "cookie")
			value = BigInt(value).toString(16);
		text(element, value || "none");
	}
	text(document.getElementById("records"), grouped(session.tx.records));
	text(document.getElementById("bytes"), bytes(session.tx.bytes) + " of plaintext, and " +
	     grouped(session.rx.records) + " records opened from you");
}

function showModule(module) {
	for (const element of document.querySelectorAll("[data-module]"))
		text(element, grouped(module[element.dataset.module] ?? 0));
	if (last !== null)
		history.push(Math.max(0, module.KtlsTxRecords - last));
	last = module.KtlsTxRecords;
	if (history.length > SECONDS)
		history.shift();
	if (history.length)
		text(document.getElementById("rate"), grouped(history[history.length - 1]));
	drawBars();
}

function drawBars() {
	const bars = document.getElementById("bars");
	const most = Math.max(1, ...history);
	const width = 240 / SECONDS;
	bars.replaceChildren(...history.map((n, i) => {
		const bar = document.createElementNS("http://www.w3.org/2000/svg", "rect");
		const height = Math.max(1, 58 * n / most);
		bar.setAttribute("x", (SECONDS - history.length + i) * width);
		bar.setAttribute("y", 60 - height);
		bar.setAttribute("width", width - 1);
		bar.setAttribute("height", height);
		return bar;
	}));
}

async function look() {
	try {
		const status = await (await fetch("/.ktls/status", { cache: "no-store" })).json();
		if (status.session)
			showSession(status.session);
		if (status.module)
			showModule(status.module);
		showState(status.session ? "" : "This page came without TLS: ktls-serve runs with --plain.");
	} catch (error) {
		showState("The server does not answer any more.");
	}
	setTimeout(look, 1000);
}

look();
