/*
 * Copyright (c) 2026 The orchd authors
 *
 * Permission to use, copy, modify, and distribute this software for any
 * purpose with or without fee is hereby granted, provided that the above
 * copyright notice and this permission notice appear in all copies.
 *
 * THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
 * WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
 * MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
 * ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
 * WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
 * ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF
 * OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
 */

#ifndef ORCHCTL_H
#define ORCHCTL_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <jansson.h>

#include "proto/proto.h"

/* Exit codes, as the manual page has them. */
enum ctl_exit { CTL_OK, CTL_REFUSED, CTL_UNREACHED };

/* How a piece of text is painted, where there are colours. */
enum shade { SHADE_NONE, SHADE_DIM, SHADE_BOLD, SHADE_GOOD, SHADE_WARN,
	SHADE_BAD, SHADE__MAX };

/* Where text for people goes, and what that place can show. */
struct out {
	FILE	*o_fp;
	int	 o_tty;
	int	 o_colour;
	int	 o_utf8;
	int	 o_width;		/* columns, 0: no limit */
	int	 o_height;		/* lines, 0: no limit */
	time_t	 o_now;			/* "now" of all ages */
};

/* An answer of the engine; answer_free when done. */
struct answer {
	enum orch_result a_result;
	char	*a_text;		/* never NULL after success */
	char	*a_json;		/* all parts together, NUL after it */
	size_t	 a_jsonlen;
	int	 a_fd;			/* or -1 */
};

/* A connection to the engine's control socket. */
struct client {
	int	 cl_fd;			/* -1: not connected */
	uint32_t cl_id;
	int	 cl_ms;			/* limit of one message */
	int	 cl_older;		/* speak an engine's older minor too */
	uint32_t cl_minor;		/* the one that is spoken now */
	char	 cl_err[512];		/* why the last call failed */
};

/* What one call of orchctl has been asked for. */
struct ctx {
	const char	*c_socket;
	int		 c_json;
	int		 c_quiet;
	struct out	 c_out;
	struct client	 c_client;
	const struct verb *c_verb;
};

/* The verb changes something: it has to be written in full. */
#define VERB_FULL	0x01

/* A verb of the command line. */
struct verb {
	const char	*v_name;
	const char	*v_args;	/* as in the manual page */
	const char	*v_help;
	int		 v_flags;
	enum ctl_exit	(*v_run)(struct ctx *, int, char **);
};

/* What a word is: a verb, none, more than one, one that needs all of it. */
enum lookup { LOOKUP_OK, LOOKUP_UNKNOWN, LOOKUP_AMBIGUOUS, LOOKUP_FULL };

/* verbs.c */

/* The table of verbs, ended by one with v_name NULL. */
extern const struct verb verbs[];

/*
 * Find a verb by its name or, unless it is one of those that must be written
 * in full, by a prefix that no other verb shares.  *v is the verb (also for
 * LOOKUP_FULL, where word is only the prefix of it).
 */
enum lookup	 verb_find(const char *word, const struct verb **v);

/* Print what a word could have meant to stderr. */
void	 verb_explain(const char *word, enum lookup, const struct verb *);

/* Print all of the usage. */
void	 usage_all(FILE *);

/* Print one verb's line of it to stderr.  Returns CTL_REFUSED. */
enum ctl_exit	 usage_verb(const struct verb *);

/*
 * Take an option that goes before and behind every verb: -j, -q, or -s with
 * its value in optarg, which is kept.  1 when ch, as getopt(3) gave it, is one
 * of them, else 0.
 */
int	 common_option(struct ctx *, int ch);

/*
 * getopt(3) for a verb: opts are its own options; -j, -q and -s are taken
 * everywhere.  Start with optind 0.  Returns the option, -1 at the end, or '?',
 * which has been reported.
 */
int	 verb_getopt(struct ctx *, int argc, char **argv, const char *opts);

/* Print "orchctl: ..." to stderr, escaped. */
void	 complain(const char *fmt, ...)
	    __attribute__((format(printf, 1, 2)));

/* client.c */

/*
 * The socket that is meant when no -s is given (manual page, FILES): that of
 * ORCHD_SOCKET, the one in the folder run, or the system's.  Not to be freed.
 */
const char *client_default_socket(void);

/*
 * Connect and say HELLO.  CTL_OK; CTL_UNREACHED when nobody answers,
 * CTL_REFUSED when the engine refuses us; why is in cl_err.  With cl_older set
 * an engine of one of the two minors before ours is spoken to in its own.
 * cl_ms 0 becomes 60000.
 */
enum ctl_exit	 client_open(struct client *, const char *path);

/* Close the connection, if there is one. */
void	 client_close(struct client *);

/*
 * Ask and wait for the whole answer.  object may be NULL; args is a
 * NULL-terminated list or NULL.  CTL_OK means that an answer came: look at
 * a_result, and free it.  Otherwise there is none, and cl_err says why:
 * CTL_UNREACHED, the connection is lost and closed; CTL_REFUSED, the request
 * cannot be sent.  RES_RETRY is asked again, up to five times in half a second.
 */
enum ctl_exit	 client_query(struct client *, const char *verb,
	    const char *object, const char *const *args, struct answer *);

/* The same for an action, which is sent once. */
enum ctl_exit	 client_action(struct client *, const struct orch_action *,
	    struct answer *);

/* Free an answer and close its descriptor; may be called twice. */
void	 answer_free(struct answer *);

/* ask.c: a query or an action of a verb, with its errors told to the person */

/* Connect if need be, as client_open().  Errors are printed. */
enum ctl_exit	 ask_connect(struct ctx *);

/*
 * Query and take the JSON apart.  On CTL_OK *doc is a new reference and *ans
 * (may be NULL) is to be freed.  Everything else has been reported.
 */
enum ctl_exit	 ask_json(struct ctx *, const char *verb, const char *object,
	    const char *const *args, json_t **doc, struct answer *ans);

/*
 * An action, its answer's sentence printed on a terminal or its JSON with -j.
 * CTL_OK also when it was done before; everything else has been reported.  doc
 * (may be NULL) receives a new reference to the JSON, or NULL.
 */
enum ctl_exit	 ask_action(struct ctx *, const struct orch_action *,
	    json_t **doc);

/*
 * Parse the JSON of an answer to this verb: a new reference, or NULL with a
 * sentence on stderr.
 */
json_t	*ask_parse(const struct answer *, const char *verb);

/*
 * jsonio.c: members of an object.  Texts and lists that are returned live as
 * long as the object.
 */

/* A member's text, or "" when it is missing or no text. */
const char *jstr(const json_t *, const char *key);

/* A member's number, without what is behind its point, or def. */
int64_t	 jint(const json_t *, const char *key, int64_t def);

/* A member's truth, 1 or 0: true, or a whole number that is not 0. */
int	 jbool(const json_t *, const char *key);

/* A member, borrowed, or NULL when it is missing, null or no list. */
json_t	*jlist(const json_t *, const char *key);

/*
 * What a job or run is about, beside its kind: its gate, role or work, or "".
 */
const char *jwho(const json_t *);

/*
 * Any simple member as text, its own or in buf, "-" when there is nothing to
 * show; of a list its length.
 */
const char *jshow(const json_t *, const char *key, char *buf, size_t len);

/*
 * Write a JSON text as it is, except that what a terminal could obey (DEL, C1,
 * direction marks, stray control bytes) is written as \uXXXX, tabs and CRs as
 * blanks.  A line end follows where there is none.
 */
void	 json_write(FILE *, const char *json, size_t len);

/*
 * human.c: what returns char * returns buf, for which 32 bytes are enough, but
 * for human_ids(), which is cut to len.
 */

/* A time span for people: "4 s", "11 min", "2 h", "3 d"; negative is 0. */
char	*human_span(int64_t seconds, char *buf, size_t len);

/* The same from milliseconds; below ten seconds with one decimal. */
char	*human_ms(int64_t ms, char *buf, size_t len);

/* An amount of millionths of a dollar, rounded: "3.12 USD"; negative is 0. */
char	*human_cost(int64_t micros, char *buf, size_t len);

/*
 * An RFC 3339 time (or a number of seconds or milliseconds) in a JSON member;
 * -1 when it is missing or malformed.
 */
time_t	 stamp_parse(const json_t *, const char *key);

/*
 * "09:14:02" of today, "11-21 09:14" of this year, "2025-11-21" else, in local
 * time; "-" for -1.
 */
char	*human_clock(time_t now, time_t t, char *buf, size_t len);

/* How long ago a member's time was, "-" when it is not there. */
char	*human_since(time_t now, const json_t *, const char *key, char *buf,
	    size_t len);

/* Columns that text takes on a terminal (wcwidth(3) of each character). */
size_t	 text_width(const char *);

/* Bytes of text that fit in width columns, which take *used (may be NULL). */
size_t	 text_fit(const char *, size_t width, size_t *used);

/* Text with each whole commit id (40 or 64 digits) cut to seven. */
char	*human_ids(const char *text, char *buf, size_t len);

/*
 * The first seven characters of a commit id, "-" of none: static, one of eight
 * buffers in turn.
 */
const char *short_id(const char *commit);

/* out.c: text for people; without memory a piece of it is left out */

/*
 * Look at a stream: terminal, size, colours (NO_COLOR), UTF-8.  Sets LC_CTYPE
 * to C.UTF-8 where it is not of UTF-8, so that widths are right.
 */
void	 out_init(struct out *, FILE *);

/* Look at the terminal's size again; 80 by 24 when it does not say. */
void	 out_resize(struct out *);

/* Formatted text, escaped, in a shade. */
void	 out_put(struct out *, enum shade, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));

/* A line end. */
void	 out_nl(struct out *);

/*
 * Escaped text and a line end, broken at spaces to the width, later lines
 * indented.  Not broken where there is no width, or indent leaves 20 columns of
 * it or less.
 */
void	 out_wrap(struct out *, enum shade, size_t indent, const char *text);

/* The same for a text that is escaped already. */
void	 out_wrap_escaped(struct out *, enum shade, size_t indent,
	    const char *text);

/* Text of several lines, escaped and indented; of blank lines one is kept. */
void	 out_text(struct out *, size_t indent, const char *text);

/* The arrow of a move, as the place can show it; static. */
const char *out_arrow(const struct out *);

/* An escaped copy that the caller frees; NULL without memory. */
char	*escaped(const char *);

/* table.c */

/*
 * The column's numbers stand right; a flexible column gives way.  The last
 * column may be one of sentences: they are broken at spaces, below their row
 * where the line has no room for them, instead of being cut.
 */
#define COL_RIGHT	0x01
#define COL_FLEX	0x02
#define COL_WRAP	0x04

/* A column of a table. */
struct column {
	const char	*co_title;	/* "" for all: no heading */
	int		 co_flags;	/* COL_ */
};
struct table;

/*
 * A table of 1 to 8 columns, which are not copied; the caller frees it.  NULL
 * without memory, which all of the functions below take as an empty one.
 */
struct table *table_new(const struct column *, size_t ncols);

/* The next cell, row by row, escaped and copied; NULL and "" count as "-". */
void	 table_cell(struct table *, enum shade, const char *);

/* The same, formatted. */
void	 table_cellf(struct table *, enum shade, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));

/*
 * Print at most maxrows rows (0: all), with a heading unless there is none.
 * With a limit a row is one line, and sentences are cut.
 */
void	 table_print(struct out *, const struct table *, size_t indent,
	    size_t maxrows);

/* The rows that are whole. */
size_t	 table_rows(const struct table *);

/* Free it and its cells. */
void	 table_free(struct table *);

/*
 * render_*.c: JSON of the engine as text for people.  The document is that of
 * the question; members that it lacks are left out or shown as "-".
 */

/* status: a line for each task, then the totals. */
void	 render_status(struct out *, const json_t *);

/* The totals of a status document, on one line; nothing without them. */
void	 render_totals(struct out *, const json_t *);

/* The sentence of a task without its id in front; lives as long as the task. */
const char *status_what(const json_t *task);

/* The shade that says whether somebody has to act. */
enum shade	 status_shade(const json_t *task);

/* show: everything about one task. */
void	 render_show(struct out *, const json_t *);

/* gate: a line for each result. */
void	 render_gates(struct out *, const json_t *);

/* The list `history' of a document: a line for each move. */
void	 render_history(struct out *, const json_t *list, size_t indent);

/* why: the sentence, or that there is none. */
void	 render_why(struct out *, const json_t *);

/* queue: jobs, what ended last, destinations, then blocks of counters. */
void	 render_queue(struct out *, const json_t *);

/* The jobs of a queue document, a line each. */
void	 render_jobs(struct out *, const json_t *);

/* lease: who holds a transition lease, and a merge lane. */
void	 render_leases(struct out *, const json_t *);

/* effect: one effect, a list of them, or those of a document. */
void	 render_effects(struct out *, const json_t *);

/* alert: a line for each. */
void	 render_alerts(struct out *, const json_t *);

/* event: a line for each delivery. */
void	 render_events(struct out *, const json_t *);

/* One delivery, with its body laid out and its escapes visible. */
void	 render_event(struct out *, const json_t *);

/* check: the problems, then a sentence. */
void	 render_check(struct out *, const json_t *);

/* doctor: the findings place by place, then how many (cmd_doctor.c). */
void	 render_doctor(struct out *, const json_t *);

/* Is id the task that a person typed as word (ORCH-115, or 115)?  1 or 0. */
int	 same_task(const char *id, const char *word);

/* changes.c: what has happened to the tasks since the last look */

struct changes;

/* Nothing seen yet; the caller frees it.  NULL without memory. */
struct changes *changes_new(void);

/* Free it; NULL is allowed. */
void	 changes_free(struct changes *);

/* Who is told, during changes_feed(). */
struct change_ops {
	void	(*moved)(const json_t *task, size_t *rows, void *arg);
	void	(*waits)(const json_t *task, void *arg);
};

/*
 * Compare a status document with the last one; all: it holds tasks that have
 * ended, too.  ids: NULL-terminated list of words, empty for every task that
 * has not ended when it is first seen.  Calls moved for each task that is new
 * or whose stage sequence moved (rows is the caller's: how many rows of the
 * history it has told of, SIZE_MAX for a new task), and waits for one that now
 * waits for another thing.  Returns the number of calls.
 */
size_t	 changes_feed(struct changes *, const json_t *status, int all,
	    const char *const *ids, const struct change_ops *, void *arg);

/* Did the last document lack a task that has not ended?  Then ask for all. */
int	 changes_missing(const struct changes *);

/*
 * The watched tasks as they were last seen, borrowed until the next feed; NULL
 * after the last.
 */
const json_t *changes_task(const struct changes *, size_t i);

/*
 * Are all tasks that were looked at terminal?  1 or 0; with 1 *cancelled says
 * whether one of them was cancelled.
 */
int	 changes_finished(const struct changes *, int *cancelled);

/* Is a stage one of the two without a way out (render_status.c)?  1 or 0. */
int	 stage_terminal(const char *stage);

/* logview.c */

/* How far a log has been shown; all zero at its begin. */
struct logview {
	off_t	lv_off;
	uint8_t	lv_carry[4];	/* of a character, or a CR, at a cut */
	size_t	lv_ncarry;
};

/*
 * Copy what a run's log has from there on from fd to fp so that a terminal
 * never obeys it; line ends and tabs stay.  0 at the present end of the file,
 * -1 with errno.
 */
int	 logview_copy(struct logview *, int fd, FILE *fp);

/* Write what is held back: nothing more will come. */
void	 logview_end(struct logview *, FILE *fp);

/*
 * The verbs: cmd_*.c and watch.c.  Each gets the command line from its own name
 * on, with optind 0, and returns the exit code; errors have been printed.
 */

/* status: all tasks that have not ended, or with -a all. */
enum ctl_exit	 cmd_status(struct ctx *, int, char **);

/* show: everything about one task. */
enum ctl_exit	 cmd_show(struct ctx *, int, char **);

/* why: what a task waits for. */
enum ctl_exit	 cmd_why(struct ctx *, int, char **);

/* queue: jobs, limits and counters. */
enum ctl_exit	 cmd_queue(struct ctx *, int, char **);

/* history: the moves of a task. */
enum ctl_exit	 cmd_history(struct ctx *, int, char **);

/* job: all jobs, those of a task, or the one of a number. */
enum ctl_exit	 cmd_job(struct ctx *, int, char **);

/* gate: the gate results of a task. */
enum ctl_exit	 cmd_gate(struct ctx *, int, char **);

/* effect: effects that are not done, those of a task, one; or settle one. */
enum ctl_exit	 cmd_effect(struct ctx *, int, char **);

/* The operator's word on an effect: argv is task, key, outcome. */
enum ctl_exit	 effect_settle(struct ctx *, char **argv, const char *reason);

/* resume: let deploys go on after a rollback. */
enum ctl_exit	 cmd_resume(struct ctx *, int, char **);

/* alert: the alerts that are raised. */
enum ctl_exit	 cmd_alert(struct ctx *, int, char **);

/* event: list deliveries of webhooks, show one, or replay one. */
enum ctl_exit	 cmd_event(struct ctx *, int, char **);

/* check: verify the database; CTL_REFUSED when something is wrong. */
enum ctl_exit	 cmd_check(struct ctx *, int, char **);

/* doctor: try what is elsewhere; CTL_REFUSED when something failed. */
enum ctl_exit	 cmd_doctor(struct ctx *, int, char **);

/* lease: who is inside a transition; or release a task's lease. */
enum ctl_exit	 cmd_lease(struct ctx *, int, char **);

/* log: the log of a run, or of the last one of a task; -f follows it. */
enum ctl_exit	 cmd_log(struct ctx *, int, char **);

/* submit: hand in a work item; a script gets its id. */
enum ctl_exit	 cmd_submit(struct ctx *, int, char **);

/* depend: make a task wait for others. */
enum ctl_exit	 cmd_depend(struct ctx *, int, char **);

/* approve, reject, confirm: decide on what a task asks for. */
enum ctl_exit	 cmd_decide(struct ctx *, int, char **);

/* cancel, retry: an action on one task. */
enum ctl_exit	 cmd_task(struct ctx *, int, char **);

/* reload, restart, shutdown; the last one waits for the engine's end. */
enum ctl_exit	 cmd_manage(struct ctx *, int, char **);

/*
 * watch: tasks as they move, until q or a signal, or with -x until all have
 * ended; CTL_REFUSED when one of them was cancelled.
 */
enum ctl_exit	 cmd_watch(struct ctx *, int, char **);

#endif
