/* The thread pool: a parallel for over independent objects. Results may never depend on the number
 * of threads, so a chunk writes only to places that belong to its objects, and reductions over
 * chunks are done by the caller in chunk order. */
#ifndef GRN_BASE_PAR_H
#define GRN_BASE_PAR_H

#include <stddef.h>

#include "base/err.h"

typedef struct grn_par_s grn_par_t;

/* CPUs this process may use: sched affinity, cgroup v1/v2 quota (rounded up), SLURM_CPUS_PER_TASK;
 * at least 1. */
int grn_par_cpus(void);

/* A pool of n workers in total (the caller counts as one). n >= 1. */
grn_status grn_par_create(grn_par_t **out, int n) GRN_MUST_USE;
void grn_par_destroy(grn_par_t *p); /* accepts NULL */
int grn_par_n(const grn_par_t *p);  /* NULL counts as 1 */

/* Work on objects [begin, end). `worker` is 0..n-1: index of per-worker scratch (its use must not
 * change results). */
typedef grn_status (*grn_par_fn)(void *ctx, size_t begin, size_t end, int worker);

/* Calls fn over [0, n) in chunks of `grain` (the last may be shorter; chunk k is always [k*grain,
 * ...)), handed out dynamically, and waits. Returns GRN_OK, or the code and message of the failed
 * chunk with the lowest begin; after a failure no new chunk is started. p == NULL runs in the
 * calling thread. Not re-entrant: fn may not call grn_par_for on the same pool (it then runs
 * serially). */
grn_status grn_par_for(grn_par_t *p, size_t n, size_t grain, grn_par_fn fn, void *ctx) GRN_MUST_USE;

#endif
