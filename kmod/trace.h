/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints, group "ktls": handshakes, key updates, records that failed.
 * Nothing on the way of a record that is good; never a key. @cookie is the
 * session's, as ss and ktlsctl show it.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ktls

#if !defined(KTLS_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define KTLS_TRACE_H

#include <linux/tracepoint.h>

#ifndef KTLS_TRACE_TX
#define KTLS_TRACE_RX	0
#define KTLS_TRACE_TX	1
#endif

TRACE_EVENT(ktls_handshake_start,
	TP_PROTO(u64 cookie, u8 role),
	TP_ARGS(cookie, role),
	TP_STRUCT__entry(__field(u64, cookie) __field(u8, role)),
	TP_fast_assign(__entry->cookie = cookie; __entry->role = role;),
	TP_printk("cookie=%llx role=%s", __entry->cookie, __entry->role ? "server" : "client")
);

TRACE_EVENT(ktls_handshake_done,
	TP_PROTO(u64 cookie, int error, u8 alert),
	TP_ARGS(cookie, error, alert),
	TP_STRUCT__entry(__field(u64, cookie) __field(int, error) __field(u8, alert)),
	TP_fast_assign(__entry->cookie = cookie; __entry->error = error; __entry->alert = alert;),
	TP_printk("cookie=%llx error=%d alert=%u", __entry->cookie, __entry->error, __entry->alert)
);

TRACE_EVENT(ktls_key_update,
	TP_PROTO(u64 cookie, u8 tx, u32 generation),
	TP_ARGS(cookie, tx, generation),
	TP_STRUCT__entry(__field(u64, cookie) __field(u8, tx) __field(u32, generation)),
	TP_fast_assign(__entry->cookie = cookie; __entry->tx = tx; __entry->generation = generation;),
	TP_printk("cookie=%llx direction=%s generation=%u", __entry->cookie, __entry->tx ? "tx" : "rx",
		  __entry->generation)
);

TRACE_EVENT(ktls_record_error,
	TP_PROTO(u64 cookie, u8 tx, u64 seq, int error),
	TP_ARGS(cookie, tx, seq, error),
	TP_STRUCT__entry(__field(u64, cookie) __field(u8, tx) __field(u64, seq) __field(int, error)),
	TP_fast_assign(__entry->cookie = cookie; __entry->tx = tx; __entry->seq = seq; __entry->error = error;),
	TP_printk("cookie=%llx direction=%s record=%llu error=%d", __entry->cookie, __entry->tx ? "tx" : "rx",
		  __entry->seq, __entry->error)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
