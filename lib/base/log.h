/* Messages on stderr, one line each, prefixed with the program name; progress bar; the final
 * resource lines; --log-json events. Levels: 0 none, 1 error, 2 warning, 3 info (default), 4 debug.
 * Colour and progress only on a terminal (NO_COLOR honoured). Thread safe. */
#ifndef GRN_BASE_LOG_H
#define GRN_BASE_LOG_H

#include <stdint.h>

#include "base/err.h"

void grn_log_init(const char *program, int level);
int grn_log_level(void);
const char *grn_log_program(void);
grn_status grn_log_json_open(const char *path)
    GRN_MUST_USE; /* one JSON object per message, appended */
grn_status grn_log_json_close(void);

void grn_log_error(const char *fmt, ...) GRN_PRINTF(1, 2);
void grn_log_warn(const char *fmt, ...) GRN_PRINTF(1, 2);
void grn_log_info(const char *fmt, ...) GRN_PRINTF(1, 2);
void grn_log_debug(const char *fmt, ...) GRN_PRINTF(1, 2);

typedef enum { GRN_PROGRESS_AUTO, GRN_PROGRESS_ALWAYS, GRN_PROGRESS_NEVER } grn_progress_mode;
void grn_progress_mode_set(grn_progress_mode mode);
/* One bar at a time: begin(total, "cells"), add(n) from any thread, end(). Shows rate and ETA, at
 * most 6 times a second; with `always` and no terminal, one plain line every 10 s. */
void grn_progress_begin(uint64_t total, const char *unit);
void grn_progress_add(uint64_t n);
void grn_progress_note(const char *fmt, ...)
    GRN_PRINTF(1, 2); /* short text shown after the bar (loss ...) */
void grn_progress_end(void);

/* The last lines of a run (level >= 3): "grn-aucell 0.1.0: 12.3 s wall, 20.1 s CPU, 0.43 GB peak".
 */
void grn_log_finish(void);

#endif
