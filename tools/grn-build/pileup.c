#include "pileup.h"

#include <string.h>

#include "base/mem.h"

#define DIGIT 11 /* bits of a radix pass */

static int is_sorted(const uint32_t *a, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (a[i] < a[i - 1]) return 0;
    return 1;
}

static void radix_sort(uint32_t *a, uint32_t *tmp, size_t n)
{
    static const int n_pass = 3;
    if (is_sorted(a, n)) return;
    for (int pass = 0; pass < n_pass; pass++) {
        size_t count[1 << DIGIT] = { 0 }, at = 0;
        const int shift = pass * DIGIT;
        for (size_t i = 0; i < n; i++) count[(a[i] >> shift) & ((1 << DIGIT) - 1)]++;
        for (size_t d = 0; d < 1 << DIGIT; d++) {
            size_t c = count[d];
            count[d] = at;
            at += c;
        }
        for (size_t i = 0; i < n; i++) tmp[count[(a[i] >> shift) & ((1 << DIGIT) - 1)]++] = a[i];
        memcpy(a, tmp, n * sizeof *a);
    }
}

grn_status grn_track_sort(grn_track_t *t, grn_track_scratch_t *s)
{
    grn_status rc = GRN_GROW(s->tmp, s->cap, t->n);
    if (rc) return rc;
    radix_sort(t->start, s->tmp, t->n);
    radix_sort(t->end, s->tmp, t->n);
    return GRN_OK;
}

void grn_pileup_init(grn_pileup_t *p, const grn_track_t *t, uint32_t window)
{
    memset(p, 0, sizeof *p);
    p->t = t;
    p->half = window / 2;
}

static uint32_t at_or_end(const uint32_t *a, size_t i, size_t n)
{
    return i < n ? a[i] : UINT32_MAX;
}

/* Takes up every position of `a` that is at `x`. */
static uint32_t take(const uint32_t *a, size_t *i, size_t n, uint32_t x)
{
    size_t from = *i;
    while (*i < n && a[*i] <= x) ++*i;
    return (uint32_t)(*i - from);
}

static uint32_t min2(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}
static uint32_t minus(uint32_t a, uint32_t b)
{
    return a > b ? a - b : 0;
}
static uint32_t plus(uint32_t a, uint32_t b)
{
    return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

int grn_pileup_next(grn_pileup_t *p, grn_run_t *r)
{
    const grn_track_t *t = p->t;
    const uint32_t last = t->n ? t->end[t->n - 1] : 0;
    r->start = p->at;
    for (;;) { /* what happens at p->at */
        uint32_t x = p->at, height = p->height, ends = p->ends;
        height += take(t->start, &p->s, t->n, x);
        height -= take(t->end, &p->e, t->n, x);
        if (p->half) {
            ends += take(t->start, &p->in_s, t->n, plus(x, p->half)) + take(t->end, &p->in_e, t->n, plus(x, p->half));
            if (x >= p->half) ends -= take(t->start, &p->out_s, t->n, x - p->half) + take(t->end, &p->out_e, t->n, x - p->half);
        }
        if (x >= last) {
            r->end = x;
            r->height = p->height;
            r->ends = p->ends;
            p->height = height;
            p->ends = ends;
            return r->end > r->start;
        }
        if ((height != p->height || ends != p->ends) && x > r->start) { /* the run ends before x */
            /* positions at x are taken already: keep the values for the next call */
            r->end = x;
            r->height = p->height;
            r->ends = p->ends;
            p->height = height;
            p->ends = ends;
            return 1;
        }
        p->height = height;
        p->ends = ends;
        uint32_t next = min2(at_or_end(t->start, p->s, t->n), at_or_end(t->end, p->e, t->n));
        if (p->half) {
            uint32_t in = min2(at_or_end(t->start, p->in_s, t->n), at_or_end(t->end, p->in_e, t->n));
            uint32_t out = min2(at_or_end(t->start, p->out_s, t->n), at_or_end(t->end, p->out_e, t->n));
            next = min2(next, min2(in == UINT32_MAX ? in : minus(in, p->half), plus(out, p->half)));
        }
        p->at = min2(next, last);
    }
}
