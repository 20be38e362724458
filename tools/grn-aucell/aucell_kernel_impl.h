/* Included by aucell_kernel_*.c with KERNEL, the name of the table. Sums are of whole numbers, so that their order is without effect. */
#include <string.h>

#include "aucell_kernel.h"

static int codes(const float *x, size_t n, uint32_t *code, size_t *n_high)
{
    uint32_t bad = 0, high = 0;
    for (size_t i = 0; i < n; i++) {
        float v = x[i] < (float)AUCELL_CODE_HIGH ? x[i] : (float)AUCELL_CODE_HIGH;
        v = v > 0 ? v : 0;
        int32_t k = (int32_t)v;
        code[i] = (uint32_t)k;
        bad |= (uint32_t)((float)k != v) | (uint32_t)(k == 0);
        high += (uint32_t)(k == AUCELL_CODE_HIGH);
    }
    *n_high = high;
    return !bad;
}

#define FLAT 2048

/* The loops over a gene's few sets end where no processor can foresee it. So they are first laid end to end, copying more than
 * there are and overwriting what was too much; the long loop over them is then without surprises. */
typedef struct {
    size_t n;
    uint16_t set[FLAT + AUCELL_COPY];
    uint32_t class[FLAT + AUCELL_COPY];
} flat_t;

static void add_flat(const flat_t *f, const int64_t *gain, int64_t *sum)
{
    for (size_t k = 0; k < f->n; k++) sum[f->set[k]] += gain[f->class[k]];
}

static void add(const aucell_tile_t *tile, size_t n, const uint32_t *gene, const uint32_t *class, uint32_t least, const int64_t *gain,
                int64_t *sum)
{
    flat_t f;
    f.n = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t list = tile->list[gene[i]];
        uint32_t c = class[i], len = (uint32_t)(list & 0xffff);
        const uint16_t *set = tile->set + (list >> 16);
        len = c >= least ? len : 0;
        if (len > AUCELL_COPY) {
            for (uint32_t k = 0; k < len; k++) sum[set[k]] += gain[c];
            continue;
        }
        memcpy(f.set + f.n, set, AUCELL_COPY * sizeof *set);
        for (int k = 0; k < AUCELL_COPY; k++) f.class[f.n + (size_t)k] = c;
        f.n += len;
        if (f.n >= FLAT) {
            add_flat(&f, gain, sum);
            f.n = 0;
        }
    }
    add_flat(&f, gain, sum);
}

static void finish(const int64_t *sum, int64_t zero, const int64_t *size, double unit, const double *top, size_t n, double *wide)
{
    for (size_t s = 0; s < n; s++) wide[s] = (double)(sum[s] + zero * size[s]) * unit / top[s];
}

const aucell_kernel_t KERNEL = { codes, add, finish };
