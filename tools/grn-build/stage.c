#include "stage.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/str.h"

void grn_stage_clear(grn_stage_t *s)
{
    for (size_t i = 0; i < s->n; i++) free(s->v[i]);
    free(s->v);
    *s = (grn_stage_t){ 0 };
}

void grn_stage_add(grn_stage_t *s, const char *arg)
{
    if (s->rc == GRN_OK)
        s->rc = GRN_GROW(s->v, s->cap, s->n + 2); /* one more for the NULL of execv */
    if (s->rc) return;
    s->v[s->n] = strdup(arg);
    if (!s->v[s->n]) s->rc = grn_err(GRN_ENOMEM, "out of memory");
    else s->v[++s->n] = NULL;
}

void grn_stage_opt(grn_stage_t *s, const char *name, const char *value)
{
    if (!value) return;
    grn_stage_add(s, name);
    grn_stage_add(s, value);
}

void grn_stage_num(grn_stage_t *s, const char *name, double value)
{
    char text[32];
    grn_stage_opt(s, name, grn_fmt_f64(text, value));
}

void grn_stage_int(grn_stage_t *s, const char *name, long long value)
{
    char text[32];
    snprintf(text, sizeof text, "%lld", value);
    grn_stage_opt(s, name, text);
}

static void add_common(grn_stage_t *s)
{
    const grn_common_t *c = &grn_common;
    grn_stage_int(s, "--threads", c->threads);
    if (c->seed != 1) {
        char text[32];
        snprintf(text, sizeof text, "%llu", (unsigned long long)c->seed);
        grn_stage_opt(s, "--seed", text);
    }
    if (c->max_mem) {
        char text[32];
        snprintf(text, sizeof text, "%llu", (unsigned long long)c->max_mem);
        grn_stage_opt(s, "--max-mem", text);
    }
    if (grn_log_level() != 3) grn_stage_int(s, "--verbosity", grn_log_level());
    if (strcmp(c->progress, "auto") != 0) grn_stage_opt(s, "--progress", c->progress);
    grn_stage_opt(s, "--log-json", c->log_json);
    if (c->no_pg) grn_stage_add(s, "--no-pg");
}

static void print_command(const grn_stage_t *s)
{
    grn_str_t line = { 0 };
    grn_status rc = GRN_OK;
    for (size_t i = 0; rc == GRN_OK && i < s->n; i++) {
        const char *q = strpbrk(s->v[i], " \t'\"\\$&;|<>()*?[]{}#~`") ? "'" : "";
        rc = grn_str_printf(&line, " %s%s%s", q, s->v[i], q);
    }
    if (rc == GRN_OK) grn_log_info("%s%s", grn_tool_name(), line.s);
    grn_str_clear(&line);
}

/* The child of a process with threads: nothing here may ask for memory, a thread may have held the allocator's lock at the fork. */
static void become_stage(char *const *argv, pid_t parent)
{
    static const char failed[] = "cannot run itself\n";
    grn_signals_release();
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(1);
    execv("/proc/self/exe", argv);
    (void)!write(STDERR_FILENO, failed, sizeof failed - 1);
    _exit(1);
}

grn_status grn_stage_run(grn_stage_t *s)
{
    grn_status rc = GRN_OK;
    int status = 0;
    char **argv = NULL;
    add_common(s);
    GRN_TRY(s->rc);
    GRN_TRY(GRN_NEW(argv, s->n + 2)); /* argv[0] is the program's name */
    argv[0] = (char *)(uintptr_t)grn_tool_name();
    memcpy(argv + 1, s->v, (s->n + 1) * sizeof *argv);
    print_command(s);
    fflush(NULL);
    grn_signals_hold(); /* no child without its parent knowing it */
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) become_stage(argv, parent);
    grn_pending_child(pid);
    grn_signals_release();
    if (pid < 0)
        GRN_FAIL(GRN_EIO, "cannot start '%s %s': %s", grn_tool_name(), s->v[0], strerror(errno));
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            GRN_FAIL(GRN_EIO, "lost '%s %s': %s", grn_tool_name(), s->v[0], strerror(errno));
    }
    grn_pending_child(0);
    if (WIFSIGNALED(status))
        GRN_FAIL(GRN_EIO, "'%s %s' was killed by signal %d", grn_tool_name(), s->v[0],
                 WTERMSIG(status));
    if (WEXITSTATUS(status) == 3)
        GRN_FAIL(GRN_EEMPTY, "nothing passed in '%s %s'", grn_tool_name(), s->v[0]);
    if (WEXITSTATUS(status) != 0) GRN_FAIL(GRN_EINVAL, "'%s %s' failed", grn_tool_name(), s->v[0]);
end:
    free(argv);
    return rc;
}
