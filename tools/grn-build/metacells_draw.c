/* How many metacells, and the draw of one. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"
#include "cistarget.h"
#include "metacells.h"

size_t grn_metacells_number(size_t n, size_t size, size_t per_type)
{
    if (n <= size) return n ? 1 : 0;
    return per_type ? per_type : 2 * (size_t)grn_round_even((double)n / (double)size);
}

typedef struct {
    uint64_t key;
    uint32_t cell;
} drawn_t;

static int later(drawn_t a, drawn_t b)
{
    return a.key != b.key ? a.key > b.key : a.cell > b.cell;
}

/* Lets h[i] sink in a heap whose top is the latest of n. */
static void sink(drawn_t *h, size_t i, size_t n)
{
    drawn_t x = h[i];
    for (size_t k; (k = 2 * i + 1) < n; i = k) {
        if (k + 1 < n && later(h[k + 1], h[k])) k++;
        if (!later(h[k], x)) break;
        h[i] = h[k];
    }
    h[i] = x;
}

static int ascending(const void *x, const void *y)
{
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    return a < b ? -1 : a > b;
}

size_t grn_metacells_draw(const uint64_t *hash, size_t n, size_t size, uint64_t key, uint32_t *out)
{
    drawn_t small[64], *h = small;
    if (n <= size) {
        for (size_t i = 0; i < n; i++) out[i] = (uint32_t)i;
        return n;
    }
    if (size > 64 && GRN_NEW_RAW(h, size)) return 0;
    for (size_t i = 0; i < size; i++) h[i] = (drawn_t){ grn_rng_mix(hash[i] ^ key), (uint32_t)i };
    for (size_t i = size / 2; i-- > 0;) sink(h, i, size);
    for (size_t i = size; i < n; i++) {
        drawn_t x = { grn_rng_mix(hash[i] ^ key), (uint32_t)i };
        if (!later(h[0], x)) continue;
        h[0] = x;
        sink(h, 0, size);
    }
    for (size_t i = 0; i < size; i++) out[i] = h[i].cell;
    qsort(out, size, sizeof *out, ascending);
    if (h != small) free(h);
    return size;
}
