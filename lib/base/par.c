#include "base/par.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

struct grn_par_s {
    int n; /* workers, the caller included */
    pthread_t *thread;
    pthread_mutex_t lock;
    pthread_cond_t start, done;
    unsigned round; /* counts jobs; workers wait for it to change */
    int busy, stop;
    int in_job; /* a job is running: nested calls run serially */
    /* the job */
    grn_par_fn fn;
    void *ctx;
    size_t total, grain, next;
    /* first failure */
    grn_status rc;
    size_t bad_at;
    char *msg;
};

typedef struct {
    grn_par_t *p;
    int worker;
} worker_arg_t;

static void record_failure(grn_par_t *p, grn_status rc, size_t begin)
{
    pthread_mutex_lock(&p->lock);
    if (p->rc == GRN_OK || begin < p->bad_at) {
        p->rc = rc;
        p->bad_at = begin;
        free(p->msg);
        p->msg = strdup(grn_err_msg());
    }
    pthread_mutex_unlock(&p->lock);
}

/* Chunks are handed out in ascending order, so every chunk below a failed one has been started and
 * will report. */
static void work(grn_par_t *p, int worker)
{
    for (;;) {
        pthread_mutex_lock(&p->lock);
        size_t begin = p->next;
        int go = begin < p->total && p->rc == GRN_OK;
        if (go) p->next = p->total - begin > p->grain ? begin + p->grain : p->total;
        size_t end = p->next;
        pthread_mutex_unlock(&p->lock);
        if (!go) return;
        grn_status rc = p->fn(p->ctx, begin, end, worker);
        if (rc) record_failure(p, rc, begin);
    }
}

static void *worker_main(void *arg)
{
    worker_arg_t a = *(worker_arg_t *)arg;
    grn_par_t *p = a.p;
    unsigned seen = 0;
    free(arg);
    for (;;) {
        pthread_mutex_lock(&p->lock);
        while (p->round == seen && !p->stop) pthread_cond_wait(&p->start, &p->lock);
        seen = p->round;
        int stop = p->stop;
        pthread_mutex_unlock(&p->lock);
        if (stop) return NULL;
        work(p, a.worker);
        pthread_mutex_lock(&p->lock);
        if (--p->busy == 0) pthread_cond_signal(&p->done);
        pthread_mutex_unlock(&p->lock);
    }
}

grn_status grn_par_create(grn_par_t **out, int n)
{
    grn_par_t *p;
    *out = NULL;
    if (n < 1) return grn_err(GRN_EINVAL, "%d threads", n);
    if (GRN_NEW(p, 1)) return GRN_ENOMEM;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->start, NULL);
    pthread_cond_init(&p->done, NULL);
    p->n = 1;
    if (GRN_NEW(p->thread, (size_t)n)) goto fail;
    for (; p->n < n; p->n++) {
        worker_arg_t *a;
        if (GRN_NEW(a, 1)) goto fail;
        a->p = p;
        a->worker = p->n;
        if (pthread_create(&p->thread[p->n], NULL, worker_main, a)) {
            free(a);
            (void)grn_err(GRN_ENOMEM, "cannot start thread %d of %d", p->n + 1, n);
            goto fail;
        }
    }
    *out = p;
    return GRN_OK;
fail:
    grn_par_destroy(p);
    return GRN_ENOMEM;
}

void grn_par_destroy(grn_par_t *p)
{
    if (!p) return;
    pthread_mutex_lock(&p->lock);
    p->stop = 1;
    pthread_cond_broadcast(&p->start);
    pthread_mutex_unlock(&p->lock);
    for (int i = 1; i < p->n; i++) pthread_join(p->thread[i], NULL);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->start);
    pthread_cond_destroy(&p->done);
    free(p->thread);
    free(p->msg);
    free(p);
}

int grn_par_n(const grn_par_t *p)
{
    return p ? p->n : 1;
}

static grn_status run_serial(size_t n, size_t grain, grn_par_fn fn, void *ctx)
{
    for (size_t begin = 0; begin < n;) {
        size_t end = n - begin > grain ? begin + grain : n;
        grn_status rc = fn(ctx, begin, end, 0);
        if (rc) return rc;
        begin = end;
    }
    return GRN_OK;
}

grn_status grn_par_for(grn_par_t *p, size_t n, size_t grain, grn_par_fn fn, void *ctx)
{
    if (grain == 0) grain = 1;
    if (!p || p->n == 1 || n <= grain || __atomic_exchange_n(&p->in_job, 1, __ATOMIC_ACQ_REL))
        return run_serial(n, grain, fn, ctx);
    pthread_mutex_lock(&p->lock);
    p->fn = fn;
    p->ctx = ctx;
    p->total = n;
    p->grain = grain;
    p->next = 0;
    p->rc = GRN_OK;
    p->busy = p->n - 1;
    p->round++;
    pthread_cond_broadcast(&p->start);
    pthread_mutex_unlock(&p->lock);
    work(p, 0);
    pthread_mutex_lock(&p->lock);
    while (p->busy) pthread_cond_wait(&p->done, &p->lock);
    grn_status rc = p->rc;
    if (rc && p->msg) (void)grn_err(rc, "%s", p->msg);
    free(p->msg);
    p->msg = NULL;
    pthread_mutex_unlock(&p->lock);
    __atomic_store_n(&p->in_job, 0, __ATOMIC_RELEASE);
    return rc;
}

static int read_line(const char *path, char *buf, int cap)
{
    FILE *f = fopen(path, "r");
    if (!f) return 0;
    int ok = fgets(buf, cap, f) != NULL;
    fclose(f);
    if (ok) buf[strcspn(buf, "\n")] = 0;
    return ok;
}

/* CPUs of the cgroup quota, 0 = no limit. */
static int cgroup_cpus(void)
{
    char line[128], *field[2];
    int64_t quota, period;
    if (read_line("/sys/fs/cgroup/cpu.max", line,
                  sizeof line)) { /* v2: "200000 100000" or "max 100000" */
        if (grn_split(line, ' ', field, 2) == 2 && grn_parse_i64(field[0], &quota) == GRN_OK &&
            grn_parse_i64(field[1], &period) == GRN_OK && quota > 0 && period > 0)
            return (int)((quota + period - 1) / period);
    } else if (read_line("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", line, sizeof line) &&
               grn_parse_i64(line, &quota) == GRN_OK && quota > 0 &&
               read_line("/sys/fs/cgroup/cpu/cpu.cfs_period_us", line, sizeof line) &&
               grn_parse_i64(line, &period) == GRN_OK && period > 0) {
        return (int)((quota + period - 1) / period);
    }
    return 0;
}

int grn_par_cpus(void)
{
    cpu_set_t set;
    int n = 1, limit = cgroup_cpus();
    int64_t slurm;
    const char *s = getenv("SLURM_CPUS_PER_TASK");
    if (sched_getaffinity(0, sizeof set, &set) == 0) n = CPU_COUNT(&set);
    if (limit && limit < n) n = limit;
    if (s && grn_parse_i64(s, &slurm) == GRN_OK && slurm >= 1 && slurm < n) n = (int)slurm;
    return n < 1 ? 1 : n;
}
