/* Checked files. Outputs appear by rename after fsync: a failed or killed run leaves no plausible
 * file. "-" is stdin or stdout.
 *
 * An output file being written is `PATH.tmp.PID` beside its target and is removed on failure, on
 * exit and on SIGINT/SIGTERM/SIGHUP/SIGPIPE (grn_file_init installs the handlers; the process then
 * dies by the same signal). Special files (/dev/null, /dev/full, pipes, FIFOs) are written in
 * place. One thread at a time per object. */
#ifndef GRN_BASE_FILE_H
#define GRN_BASE_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/err.h"

void grn_file_init(void); /* once, in the tool's start-up */

/* Registers a name that must not outlive the process: at exit and on the signals above files are removed, then folders that are
 * empty (register a folder after the one it lies in). Borrowed until dropped by the slot returned; dropping removes nothing.
 * With more than 128 names at once the rest are not registered. */
size_t grn_pending_add(char *path);
void grn_pending_drop(size_t slot);
/* A child to end and wait for before that, so that what it leaves behind is gone as well; 0: none. */
void grn_pending_child(pid_t pid);

/* Between hold and release (a few system calls, no nesting) those signals wait: for renames that belong together. */
void grn_signals_hold(void);
void grn_signals_release(void);

typedef struct grn_out_s grn_out_t; /* an output being written */

/* Opens `path` for writing. `binary`: refuse (GRN_EUSAGE) when stdout is a terminal. */
grn_status grn_out_open(grn_out_t **o, const char *path, int binary) GRN_MUST_USE;
grn_status grn_out_write(grn_out_t *o, const void *p, size_t n) GRN_MUST_USE;
grn_status grn_out_puts(grn_out_t *o, const char *s) GRN_MUST_USE;
grn_status grn_out_printf(grn_out_t *o, const char *fmt, ...) GRN_PRINTF(2, 3) GRN_MUST_USE;
/* Flushes, syncs, closes and renames into place; frees o in any case. GRN_EIO (disk full ...)
 * leaves no file. A closed pipe on stdout gives GRN_EIO with message "broken pipe" only if not
 * already dead by SIGPIPE. */
grn_status grn_out_commit(grn_out_t *o) GRN_MUST_USE;
void grn_out_abort(grn_out_t *o); /* drops everything; accepts NULL */

/* An anonymous temporary file in TMPDIR (or /tmp), already unlinked: read/write/seek through the
 * descriptor; close(fd) frees it. */
grn_status grn_tmp_open(int *fd) GRN_MUST_USE;
/* TMPDIR, or "/tmp" when it is not set: for the libraries that insist on a name. Borrowed. */
const char *grn_tmp_dir(void);

/* Full reads and writes at an offset, restarting on EINTR. pread_full: GRN_ETRUNC when fewer than n
 * bytes are there. */
grn_status grn_pread_full(int fd, void *p, size_t n, uint64_t off, const char *path) GRN_MUST_USE;
grn_status grn_pwrite_full(int fd, const void *p, size_t n, uint64_t off, const char *path) GRN_MUST_USE;
grn_status grn_write_full(int fd, const void *p, size_t n, const char *path) GRN_MUST_USE;

/* Opens an existing file for reading ("-" = stdin, fd 0); directories and missing files give
 * GRN_EIO naming the path. *size = bytes (UINT64_MAX when not a regular file); *seekable = 1 if
 * pread works. */
grn_status grn_in_open(const char *path, int *fd, uint64_t *size, int *seekable) GRN_MUST_USE;

/* Makes stdin a file that can be read twice: the bytes of a pipe go to an unlinked temporary file
 * that takes the place of descriptor 0. */
grn_status grn_stdin_rewindable(void) GRN_MUST_USE;
/* The same for any path: a pipe (a FIFO, or "/dev/fd/63" of a shell's <(...)) takes the place of
 * stdin and *path becomes "-". Regular files are left alone. */
grn_status grn_path_rewindable(const char **path) GRN_MUST_USE;

/* XXH3-128 of a whole file as 32 hex digits (NUL-terminated), for provenance. */
grn_status grn_file_digest(const char *path, char hex[33]) GRN_MUST_USE;

/* "a/b/c.tsv" -> "c.tsv" (borrowed, points into path). */
const char *grn_path_base(const char *path);

#endif
