#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/mem.h"
#include "base/str.h"

#define BUF_N ((size_t)1 << 16)

struct grn_out_s {
    int fd;
    char *path; /* as given */
    char *tmp;  /* temporary name, NULL when written in place */
    size_t slot;
    size_t n; /* bytes in buf */
    unsigned char buf[BUF_N];
};

/* Names that a dying process must remove. Written under the lock, read by the signal handler. */
#define PENDING_MAX 128
static char *volatile pending[PENDING_MAX];
static pthread_mutex_t pending_lock = PTHREAD_MUTEX_INITIALIZER;
static volatile pid_t pending_child;

/* FREE: a signal ends the process. HELD: it waits, in `caught`, for grn_signals_release. DYING: a handler is at work. */
enum { FREE, HELD, DYING };
static atomic_int signals = FREE;
static volatile sig_atomic_t caught;

size_t grn_pending_add(char *path)
{
    pthread_mutex_lock(&pending_lock);
    size_t k = 0;
    while (k < PENDING_MAX && pending[k]) k++;
    if (k < PENDING_MAX) pending[k] = path;
    pthread_mutex_unlock(&pending_lock);
    return k;
}

void grn_pending_drop(size_t k)
{
    pthread_mutex_lock(&pending_lock);
    if (k < PENDING_MAX) pending[k] = NULL;
    pthread_mutex_unlock(&pending_lock);
}

void grn_pending_child(pid_t pid)
{
    pending_child = pid;
}

/* Only async-signal-safe calls. A name is a file or a folder, and one of the two calls fails without harm; folders are
 * registered after those they lie in. */
static void remove_pending(void)
{
    for (size_t k = 0; k < PENDING_MAX; k++)
        if (pending[k]) unlink(pending[k]);
    for (size_t k = PENDING_MAX; k-- > 0;)
        if (pending[k]) rmdir(pending[k]);
}

static void die(int sig)
{
    if (pending_child > 0) { /* it removes what is its own */
        kill(pending_child, SIGTERM);
        while (waitpid(pending_child, NULL, 0) < 0 && errno == EINTR) continue;
    }
    remove_pending();
    signal(sig, SIG_DFL);
    raise(sig);
}

static void on_signal(int sig)
{
    int was = FREE;
    if (atomic_compare_exchange_strong(&signals, &was, DYING)) die(sig);
    else if (was == HELD) caught = sig;
}

void grn_signals_hold(void)
{
    int was = FREE;
    while (!atomic_compare_exchange_strong(&signals, &was, HELD)) pause(); /* another thread is ending the process */
}

void grn_signals_release(void)
{
    atomic_store(&signals, FREE);
    if (caught) on_signal(caught);
}

void grn_file_init(void)
{
    static const int sigs[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXCPU };
    struct sigaction sa, old;
    memset(&sa, 0, sizeof sa);
    sa.sa_handler = on_signal;
    for (size_t i = 0; i < sizeof sigs / sizeof *sigs; i++)
        if (sigaction(sigs[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(sigs[i], &sa, NULL);
    signal(SIGXFSZ,
           SIG_IGN); /* a file-size limit becomes a write error, reported like a full disk */
    atexit(remove_pending);
}

static grn_status open_error(const char *path)
{
    return grn_err(GRN_EIO, "cannot open '%s': %s", path, strerror(errno));
}

static grn_status open_tmp_beside(grn_out_t *o)
{
    grn_str_t s = { 0 };
    if (grn_str_printf(&s, "%s.tmp.%ld", o->path, (long)getpid())) return GRN_ENOMEM;
    o->tmp = s.s;
    o->slot = grn_pending_add(o->tmp); /* before it is there: a signal may come in between */
    o->fd = open(o->tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (o->fd < 0) {
        grn_status rc = grn_err(GRN_EIO, "cannot write '%s': %s", o->path, strerror(errno));
        grn_pending_drop(o->slot);
        free(o->tmp);
        o->tmp = NULL;
        return rc;
    }
    return GRN_OK;
}

grn_status grn_out_open(grn_out_t **out, const char *path, int binary)
{
    grn_out_t *o;
    grn_status rc = GRN_OK;
    struct stat st;
    *out = NULL;
    if (GRN_NEW(o, 1)) return GRN_ENOMEM;
    o->fd = -1;
    o->slot = PENDING_MAX;
    if (!(o->path = strdup(path))) GRN_FAIL(GRN_ENOMEM, "out of memory");
    if (strcmp(path, "-") == 0) {
        if (binary && isatty(STDOUT_FILENO))
            GRN_FAIL(GRN_EUSAGE,
                     "binary output is not written to a terminal; use -o FILE or a pipe");
        o->fd = STDOUT_FILENO;
    } else if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        if (S_ISDIR(st.st_mode)) GRN_FAIL(GRN_EIO, "cannot write '%s': Is a directory", path);
        o->fd = open(path, O_WRONLY | O_CLOEXEC);
        if (o->fd < 0) GRN_FAIL(GRN_EIO, "cannot write '%s': %s", path, strerror(errno));
    } else {
        GRN_TRY(open_tmp_beside(o));
    }
    *out = o;
    return GRN_OK;
end:
    free(o->path);
    free(o);
    return rc;
}

grn_status grn_write_full(int fd, const void *p, size_t n, const char *path)
{
    const char *s = p;
    while (n) {
        ssize_t k = write(fd, s, n);
        if (k < 0) {
            if (errno == EINTR) continue;
            return grn_err(GRN_EIO, "cannot write '%s': %s", path, strerror(errno));
        }
        s += k;
        n -= (size_t)k;
    }
    return GRN_OK;
}

static const char *shown_path(const grn_out_t *o)
{
    return strcmp(o->path, "-") == 0 ? "standard output" : o->path;
}

static grn_status flush(grn_out_t *o)
{
    size_t n = o->n;
    o->n = 0;
    return grn_write_full(o->fd, o->buf, n, shown_path(o));
}

grn_status grn_out_write(grn_out_t *o, const void *p, size_t n)
{
    if (n > BUF_N - o->n && flush(o)) return GRN_EIO;
    if (n > BUF_N) return grn_write_full(o->fd, p, n, shown_path(o));
    memcpy(o->buf + o->n, p, n);
    o->n += n;
    return GRN_OK;
}

grn_status grn_out_puts(grn_out_t *o, const char *s)
{
    return grn_out_write(o, s, strlen(s));
}

grn_status grn_out_printf(grn_out_t *o, const char *fmt, ...)
{
    char small[512];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    if (n < 0) return grn_err(GRN_EINVAL, "cannot format output");
    if ((size_t)n < sizeof small) return grn_out_write(o, small, (size_t)n);
    char *big;
    if (GRN_NEW_RAW(big, (size_t)n + 1)) return GRN_ENOMEM;
    va_start(ap, fmt);
    vsnprintf(big, (size_t)n + 1, fmt, ap);
    va_end(ap);
    grn_status rc = grn_out_write(o, big, (size_t)n);
    free(big);
    return rc;
}

static void out_free(grn_out_t *o)
{
    grn_pending_drop(o->slot);
    free(o->tmp);
    free(o->path);
    free(o);
}

grn_status grn_out_commit(grn_out_t *o)
{
    grn_status rc = flush(o);
    int is_std = o->fd == STDOUT_FILENO && strcmp(o->path, "-") == 0;
    if (!rc && o->tmp && fsync(o->fd) && errno != EINVAL)
        rc = grn_err(GRN_EIO, "cannot write '%s': %s", o->path, strerror(errno));
    if (!is_std && close(o->fd) && !rc)
        rc = grn_err(GRN_EIO, "cannot write '%s': %s", o->path, strerror(errno));
    if (!rc && o->tmp && rename(o->tmp, o->path))
        rc = grn_err(GRN_EIO, "cannot write '%s': %s", o->path, strerror(errno));
    if (rc && o->tmp) unlink(o->tmp);
    out_free(o);
    return rc;
}

void grn_out_abort(grn_out_t *o)
{
    if (!o) return;
    if (strcmp(o->path, "-") != 0) close(o->fd);
    if (o->tmp) unlink(o->tmp);
    out_free(o);
}

const char *grn_tmp_dir(void)
{
    const char *dir = getenv("TMPDIR");
    return dir && *dir ? dir : "/tmp";
}

grn_status grn_tmp_open(int *fd)
{
    const char *dir = grn_tmp_dir();
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/grn.XXXXXX", dir) >= (int)sizeof path)
        return grn_err(GRN_EIO, "TMPDIR is too long");
    *fd = mkstemp(path);
    if (*fd < 0)
        return grn_err(GRN_EIO, "cannot make a temporary file in '%s': %s", dir, strerror(errno));
    unlink(path);
    return GRN_OK;
}

grn_status grn_pread_full(int fd, void *p, size_t n, uint64_t off, const char *path)
{
    char *s = p;
    while (n) {
        ssize_t k = pread(fd, s, n, (off_t)off);
        if (k < 0) {
            if (errno == EINTR) continue;
            return grn_err(GRN_EIO, "cannot read '%s': %s", path, strerror(errno));
        }
        if (k == 0)
            return grn_err(GRN_ETRUNC, "'%s' is truncated: %zu bytes missing at offset %llu", path,
                           n, (unsigned long long)off);
        s += k;
        n -= (size_t)k;
        off += (uint64_t)k;
    }
    return GRN_OK;
}

grn_status grn_pwrite_full(int fd, const void *p, size_t n, uint64_t off, const char *path)
{
    const char *s = p;
    while (n) {
        ssize_t k = pwrite(fd, s, n, (off_t)off);
        if (k < 0) {
            if (errno == EINTR) continue;
            return grn_err(GRN_EIO, "cannot write '%s': %s", path, strerror(errno));
        }
        s += k;
        n -= (size_t)k;
        off += (uint64_t)k;
    }
    return GRN_OK;
}

grn_status grn_in_open(const char *path, int *fd, uint64_t *size, int *seekable)
{
    struct stat st;
    *fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0) return open_error(path);
    if (fstat(*fd, &st)) return open_error(path);
    if (S_ISDIR(st.st_mode)) {
        if (*fd != STDIN_FILENO) close(*fd);
        errno = EISDIR;
        return open_error(path);
    }
    int regular = S_ISREG(st.st_mode) && (*fd != STDIN_FILENO || lseek(*fd, 0, SEEK_CUR) == 0);
    if (size) *size = regular ? (uint64_t)st.st_size : UINT64_MAX;
    if (seekable) *seekable = regular;
    return GRN_OK;
}

grn_status grn_stdin_rewindable(void)
{
    grn_status rc = GRN_OK;
    char *buf = NULL;
    int fd = -1;
    ssize_t n;
    if (lseek(STDIN_FILENO, 0, SEEK_SET) == 0) return GRN_OK;
    GRN_TRY(grn_tmp_open(&fd));
    GRN_TRY(GRN_NEW_RAW(buf, (size_t)1 << 20));
    while ((n = read(STDIN_FILENO, buf, (size_t)1 << 20)) != 0) {
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) GRN_FAIL(GRN_EIO, "cannot read standard input: %s", strerror(errno));
        GRN_TRY(grn_write_full(fd, buf, (size_t)n, "the copy of standard input in TMPDIR"));
    }
    if (dup2(fd, STDIN_FILENO) < 0 || lseek(STDIN_FILENO, 0, SEEK_SET) != 0)
        GRN_FAIL(GRN_EIO, "cannot reopen standard input: %s", strerror(errno));
end:
    if (fd >= 0) close(fd);
    free(buf);
    return rc;
}

grn_status grn_path_rewindable(const char **path)
{
    struct stat st;
    if (strcmp(*path, "-") != 0) {
        if (stat(*path, &st) != 0 || !S_ISFIFO(st.st_mode)) return GRN_OK;
        int fd = open(*path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) return grn_err(GRN_EIO, "cannot open '%s': %s", *path, strerror(errno));
        int bad = dup2(fd, STDIN_FILENO) < 0;
        close(fd);
        if (bad) return grn_err(GRN_EIO, "cannot read '%s': %s", *path, strerror(errno));
        *path = "-";
    }
    return grn_stdin_rewindable();
}

grn_status grn_file_digest(const char *path, char hex[33])
{
    grn_status rc = GRN_OK;
    int fd = -1;
    unsigned char *buf = NULL;
    XXH3_state_t *st = XXH3_createState();
    GRN_TRY(st ? GRN_OK : grn_err(GRN_ENOMEM, "out of memory"));
    GRN_TRY(GRN_NEW_RAW(buf, (size_t)1 << 20));
    GRN_TRY(grn_in_open(path, &fd, NULL, NULL));
    XXH3_128bits_reset(st);
    for (;;) {
        ssize_t k = read(fd, buf, (size_t)1 << 20);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) GRN_FAIL(GRN_EIO, "cannot read '%s': %s", path, strerror(errno));
        if (k == 0) break;
        XXH3_128bits_update(st, buf, (size_t)k);
    }
    XXH128_hash_t h = XXH3_128bits_digest(st);
    snprintf(hex, 33, "%016llx%016llx", (unsigned long long)h.high64, (unsigned long long)h.low64);
end:
    if (fd > STDIN_FILENO) close(fd);
    free(buf);
    XXH3_freeState(st);
    return rc;
}

const char *grn_path_base(const char *path)
{
    const char *p = strrchr(path, '/');
    return p && p[1] ? p + 1 : path;
}
