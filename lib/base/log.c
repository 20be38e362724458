#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/version.h"

static const char *program = "grn";
static int level = 3;
static double t_start;
static FILE *json;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct {
    grn_progress_mode mode;
    int on, shown;
    uint64_t total, done;
    const char *unit;
    double begin, last;
    char note[80];
} bar;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void grn_log_init(const char *name, int lv)
{
    program = name;
    level = lv;
    if (t_start == 0) t_start = now();
}

int grn_log_level(void)
{
    return level;
}

const char *grn_log_program(void)
{
    return program;
}

grn_status grn_log_json_open(const char *path)
{
    json = fopen(path, "a");
    return json ? GRN_OK : grn_err(GRN_EIO, "cannot write '%s'", path);
}

grn_status grn_log_json_close(void)
{
    FILE *f = json;
    json = NULL;
    return f && fclose(f) ? grn_err(GRN_EIO, "cannot write the JSON log") : GRN_OK;
}

static void json_string(FILE *f, const char *s)
{
    fputc('"', f);
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\') fprintf(f, "\\%c", c);
        else if (c < 32) fprintf(f, "\\u%04x", c);
        else fputc(c, f);
    }
    fputc('"', f);
}

static void json_event(const char *kind, const char *text)
{
    fprintf(json, "{\"t\":%.3f,\"program\":", now() - t_start);
    json_string(json, program);
    fprintf(json, ",\"level\":\"%s\",\"text\":", kind);
    json_string(json, text);
    fputs("}\n", json);
    fflush(json);
}

static void wipe_bar(void)
{
    if (bar.shown) fputs("\r\033[K", stderr);
    bar.shown = 0;
}

GRN_PRINTF(3, 0)
static void emit(int lv, const char *kind, const char *fmt, va_list ap)
{
    char text[4096];
    if (lv > level && !json) return;
    vsnprintf(text, sizeof text, fmt, ap);
    pthread_mutex_lock(&lock);
    if (json) json_event(kind, text);
    if (lv <= level) {
        wipe_bar();
        fprintf(stderr, "%s: %s%s\n", program, lv == 2 ? "warning: " : "", text);
    }
    pthread_mutex_unlock(&lock);
}

#define LOG_FUNCTION(name, lv, kind) \
    void name(const char *fmt, ...) \
    { \
        va_list ap; \
        va_start(ap, fmt); \
        emit(lv, kind, fmt, ap); \
        va_end(ap); \
    }
LOG_FUNCTION(grn_log_error, 1, "error")
LOG_FUNCTION(grn_log_warn, 2, "warning")
LOG_FUNCTION(grn_log_info, 3, "info")
LOG_FUNCTION(grn_log_debug, 4, "debug")

void grn_progress_mode_set(grn_progress_mode mode)
{
    bar.mode = mode;
}

void grn_progress_begin(uint64_t total, const char *unit)
{
    int tty = isatty(STDERR_FILENO);
    pthread_mutex_lock(&lock);
    bar.on =
        level >= 3 && (bar.mode == GRN_PROGRESS_ALWAYS || (bar.mode == GRN_PROGRESS_AUTO && tty));
    bar.total = total;
    bar.done = 0;
    bar.unit = unit;
    bar.note[0] = 0;
    bar.begin = now();
    bar.last = tty ? 0 : bar.begin;
    pthread_mutex_unlock(&lock);
}

static void draw(double t)
{
    double dt = t - bar.begin, rate = dt > 0 ? (double)bar.done / dt : 0;
    double eta = rate > 0 && bar.total > bar.done ? (double)(bar.total - bar.done) / rate : 0;
    int tty = isatty(STDERR_FILENO), width = 24,
        fill = bar.total ? (int)(width * (double)bar.done / (double)bar.total) : 0;
    char line[64];
    if (fill > width) fill = width;
    memset(line, '#', (size_t)fill);
    memset(line + fill, '.', (size_t)(width - fill));
    line[width] = 0;
    fprintf(stderr, "%s%s: [%s] %llu/%llu %s, %.3g/s, %d:%02d left %s%s", tty ? "\r" : "", program,
            line, (unsigned long long)bar.done, (unsigned long long)bar.total, bar.unit, rate,
            (int)eta / 60, (int)eta % 60, bar.note, tty ? "\033[K" : "\n");
    fflush(stderr);
    bar.shown = tty;
    bar.last = t;
}

void grn_progress_add(uint64_t n)
{
    pthread_mutex_lock(&lock);
    bar.done += n;
    if (bar.on) {
        double t = now(), every = isatty(STDERR_FILENO) ? 1.0 / 6 : 10;
        if (t - bar.last >= every) draw(t);
    }
    pthread_mutex_unlock(&lock);
}

void grn_progress_note(const char *fmt, ...)
{
    va_list ap;
    pthread_mutex_lock(&lock);
    va_start(ap, fmt);
    vsnprintf(bar.note, sizeof bar.note, fmt, ap);
    va_end(ap);
    pthread_mutex_unlock(&lock);
}

void grn_progress_end(void)
{
    pthread_mutex_lock(&lock);
    wipe_bar();
    bar.on = 0;
    pthread_mutex_unlock(&lock);
}

void grn_log_finish(void)
{
    struct rusage u;
    memset(&u, 0, sizeof u);
    getrusage(RUSAGE_SELF, &u);
    double cpu = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
                 1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
    grn_log_info("%s: %.2f s wall, %.2f s CPU, %.3f GB peak", grn_version(), now() - t_start, cpu,
                 (double)grn_mem_peak() / 1e9);
}
