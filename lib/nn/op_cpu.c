#include "nn/op_cpu.h"

#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

enum { ALIGN = 64 };

/* In front of every buffer: where it really starts and how long it is. */
typedef struct {
    void *raw;
    size_t bytes;
} head_t;

static void *align_up(void *raw)
{
    return (void *)(((uintptr_t)raw + sizeof(head_t) + ALIGN - 1) & ~(uintptr_t)(ALIGN - 1));
}

grn_status grn_cpu_alloc(void *ctx, void **p, size_t bytes)
{
    grn_cpu_t *c = ctx;
    *p = NULL;
    if (bytes > SIZE_MAX - 2 * ALIGN) return grn_err(GRN_ENOMEM, "buffer of %zu bytes", bytes);
    void *raw = grn_calloc(bytes + 2 * ALIGN, 1);
    if (!raw) return GRN_ENOMEM;
    *p = align_up(raw);
    ((head_t *)*p)[-1] = (head_t){ raw, bytes };
    c->now += bytes;
    if (c->now > c->peak) c->peak = c->now;
    return GRN_OK;
}

void grn_cpu_free(void *ctx, void *p)
{
    grn_cpu_t *c = ctx;
    if (!p) return;
    head_t h = ((head_t *)p)[-1];
    c->now -= h.bytes;
    free(h.raw);
}

grn_status grn_cpu_scratch(grn_cpu_t *c, int worker, size_t n, size_t size, void **p)
{
    grn_cpu_buf_t *b = &c->scratch[worker];
    *p = NULL;
    if (size && n > (SIZE_MAX - 2 * ALIGN) / size)
        return grn_err(GRN_ENOMEM, "workspace of %zu times %zu bytes", n, size);
    if (!b->p || b->n < n * size) {
        free(b->p);
        b->n = 0;
        b->p = grn_malloc(n * size + 2 * ALIGN, 1);
        if (!b->p) return GRN_ENOMEM;
        b->n = n * size;
    }
    *p = align_up(b->p);
    return GRN_OK;
}

grn_status grn_cpu_move(void *ctx, void *dst, const void *src, size_t bytes)
{
    (void)ctx;
    if (bytes) memmove(dst, src, bytes);
    return GRN_OK;
}

grn_status grn_cpu_zero(void *ctx, void *dst, size_t bytes)
{
    (void)ctx;
    if (bytes) memset(dst, 0, bytes);
    return GRN_OK;
}

grn_status grn_cpu_sync(void *ctx)
{
    (void)ctx;
    return GRN_OK;
}

void grn_cpu_mem(void *ctx, uint64_t *now, uint64_t *peak)
{
    const grn_cpu_t *c = ctx;
    *now = c->now;
    *peak = c->peak;
}

const char *grn_cpu_name(void *ctx)
{
    return ((const grn_cpu_t *)ctx)->name;
}

void grn_cpu_close(void *ctx)
{
    grn_cpu_t *c = ctx;
    if (!c) return;
    for (int i = 0; c->scratch && i <= c->n_workers; i++) free(c->scratch[i].p);
    free(c->scratch);
    free(c);
}

grn_status grn_dev_cpu_table(grn_dev_t **dev, grn_par_t *pool, const grn_ops_t *op)
{
    grn_status rc = GRN_OK;
    grn_dev_t *d = NULL;
    grn_cpu_t *c = NULL;
    *dev = NULL;
    openblas_set_num_threads(1);
    GRN_TRY(GRN_NEW(c, 1));
    c->pool = pool;
    c->n_workers = grn_par_n(pool);
    GRN_TRY(GRN_NEW(c->scratch, (size_t)c->n_workers + 1));
    snprintf(c->name, sizeof c->name, "cpu%s (%d thread%s)", op->real_size == 8 ? "64" : "",
             c->n_workers, c->n_workers > 1 ? "s" : "");
    GRN_TRY(GRN_NEW(d, 1));
    d->op = op;
    d->ctx = c;
    *dev = d;
end:
    if (rc) grn_cpu_close(c);
    return rc;
}

grn_status grn_dev_cpu(grn_dev_t **dev, grn_par_t *pool)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) return grn_dev_cpu_table(dev, pool, &grn_ops_cpu_f32_avx2);
#endif
    return grn_dev_cpu_table(dev, pool, &grn_ops_cpu_f32);
}

grn_status grn_dev_cpu64(grn_dev_t **dev, grn_par_t *pool)
{
    return grn_dev_cpu_table(dev, pool, &grn_ops_cpu_f64);
}
