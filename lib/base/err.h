/* Status codes and the one error message of the calling thread.
 *
 * Library functions return grn_status: GRN_OK (0) or a negative code, and set one human-readable
 * message where the failure was found: cause, object, what was found, what was expected. Callers
 * pass the code on (GRN_TRY), at most adding a prefix. The message lives in thread-local storage:
 * any thread may fail independently; grn_par_for moves the message of the failed chunk with the
 * lowest index to the caller. Nothing here prints, exits or allocates. */
#ifndef GRN_BASE_ERR_H
#define GRN_BASE_ERR_H

typedef enum {
    GRN_OK = 0,
    GRN_EINVAL = -1,     /* argument or value out of range */
    GRN_ENOMEM = -2,     /* allocation failed */
    GRN_EIO = -3,        /* the operating system refused a read, write, open, rename */
    GRN_EFORMAT = -4,    /* bytes that are not what the format says */
    GRN_ETRUNC = -5,     /* the input ended early */
    GRN_ESHAPE = -6,     /* two objects that should agree in size or names do not */
    GRN_ENONFINITE = -7, /* NaN or infinity where a number is needed */
    GRN_EDEVICE = -8,    /* accelerator missing or failing */
    GRN_EUNSUP = -9,     /* valid but not supported here */
    GRN_EUSAGE = -10,    /* the command line is wrong: exit 2 */
    GRN_EEMPTY = -11     /* ran, but nothing passed: exit 3 */
} grn_status;

#if defined(__GNUC__)
#define GRN_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define GRN_MUST_USE __attribute__((warn_unused_result))
#else
#define GRN_PRINTF(f, a)
#define GRN_MUST_USE
#endif

/* Sets the message of this thread and returns `code`, so that `return grn_err(GRN_EIO, ...)` reads
 * well. Message style: lower case, no full stop, names quoted: "cannot open 'x.h5': No such file or
 * directory". Truncated at 4,095 bytes. */
grn_status grn_err(grn_status code, const char *fmt, ...) GRN_PRINTF(2, 3);

/* Puts "text: " before the message of this thread (which object, which line) and returns `code`. */
grn_status grn_err_prefix(grn_status code, const char *fmt, ...) GRN_PRINTF(2, 3);

/* The message of this thread; "" when none was set. Borrowed, valid until the next grn_err in this
 * thread. */
const char *grn_err_msg(void);

/* Exit status of a tool for a code: 0 done, 2 usage, 3 empty, 1 everything else. */
int grn_err_exit(grn_status code);

/* Runs an expression of type grn_status; on failure stores it in `rc` and jumps to `end`. */
#define GRN_TRY(expr) \
    do { \
        rc = (expr); \
        if (rc != GRN_OK) goto end; \
    } while (0)

/* Fails with a code and message, jumping to `end`. */
#define GRN_FAIL(...) \
    do { \
        rc = grn_err(__VA_ARGS__); \
        goto end; \
    } while (0)

#endif
