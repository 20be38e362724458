#include "grn-aucell/cellrank.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

enum { MANY_HIGH = 256, FEW = 48 };

double aucell_gain(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t last = b < c ? b : c; /* ranks a..last-1 count, c-a down to c-last+1 */
    if (a >= c) return 0;
    return (double)((last - a) * ((c - a) + (c - last + 1))) / 2 / (double)(b - a);
}

int64_t aucell_gain_units(uint64_t a, uint64_t b, uint64_t c, int shift)
{
    return (int64_t)llrint(aucell_gain(a, b, c) * (double)((uint64_t)1 << shift));
}

grn_status aucell_ranker_init(aucell_ranker_t *r, const aucell_rule_t *rule)
{
    grn_status rc = GRN_OK;
    size_t n = (size_t)rule->n_genes;
    r->rule = rule;
    GRN_TRY(GRN_NEW_RAW(r->a, n));
    GRN_TRY(GRN_NEW_RAW(r->tmp, n));
    GRN_TRY(GRN_NEW_RAW(r->gene, n));
    GRN_TRY(GRN_NEW_RAW(r->class, n));
    GRN_TRY(GRN_NEW(r->gain, n + AUCELL_CODE_HIGH + 2));
    GRN_TRY(GRN_NEW(r->seen, n));
end:
    return rc;
}

void aucell_ranker_clear(aucell_ranker_t *r)
{
    free(r->a);
    free(r->tmp);
    free(r->gene);
    free(r->class);
    free(r->gain);
    free(r->seen);
    memset(r, 0, sizeof *r);
}

static int64_t gain_of(const aucell_ranker_t *r, uint64_t a, uint64_t b)
{
    return aucell_gain_units(a, b, r->rule->cut, r->rule->shift);
}

/* ---- order ---- */

static uint32_t key_of(uint64_t item)
{
    return (uint32_t)(item >> 32);
}
static uint32_t column_of(uint64_t item)
{
    return (uint32_t)item;
}

static void sort_few(uint64_t *a, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        uint64_t x = a[i];
        size_t j = i;
        for (; j > 0 && key_of(a[j - 1]) > key_of(x); j--) a[j] = a[j - 1];
        a[j] = x;
    }
}

/* Ascending by key; 11 bits at a time from below. */
static void sort_items(uint64_t *a, uint64_t *tmp, size_t n)
{
    if (n <= FEW) {
        sort_few(a, n);
        return;
    }
    for (int shift = 32; shift < 64; shift += 11) {
        uint32_t at[2048] = { 0 }, sum = 0;
        for (size_t i = 0; i < n; i++) at[a[i] >> shift & 2047]++;
        if (at[a[0] >> shift & 2047] == n) continue;
        for (int d = 0; d < 2048; d++) {
            uint32_t k = at[d];
            at[d] = sum;
            sum += k;
        }
        for (size_t i = 0; i < n; i++) tmp[at[a[i] >> shift & 2047]++] = a[i];
        memcpy(a, tmp, n * sizeof *a);
    }
}

/* Moves to the front the items that can be among the `top` smallest keys, by the 2,048 classes of bits shift..shift+10; their
 * number. */
static size_t preselect(uint64_t *a, size_t n, size_t top, int shift)
{
    uint32_t count[2048] = { 0 };
    size_t kept = 0, seen = 0;
    uint32_t last = 0;
    if (n <= top) return n;
    for (size_t i = 0; i < n; i++) count[a[i] >> shift & 2047]++;
    for (; last < 2047; last++)
        if ((seen += count[last]) >= top) break;
    for (size_t i = 0; i < n; i++) {
        uint64_t x = a[i];
        a[kept] = x;
        kept += (x >> shift & 2047) <= last;
    }
    return kept;
}

/* ---- columns that count, tie block by tie block ---- */

static void list_column(aucell_ranker_t *r, uint32_t column, uint32_t class)
{
    r->gene[r->n] = column;
    r->class[r->n++] = class;
}

static uint32_t new_class(aucell_ranker_t *r, int64_t gain)
{
    r->gain[++r->n_class] = gain;
    return r->n_class;
}

static uint64_t tie_key(const aucell_rule_t *rule, uint64_t cell, uint32_t column)
{
    return rule->ties == AUCELL_TIES_SHARED ? grn_rng_key(rule->seed, "aucell.order", 0, rule->gene_key[column])
                                            : grn_rng_key(rule->seed, "aucell.ties", cell, rule->gene_key[column]);
}

/* Items of equal upper half of the key, by the whole of it. */
static void settle(const aucell_rule_t *rule, uint64_t *a, size_t n, uint64_t cell)
{
    for (size_t i = 1; i < n; i++)
        for (size_t j = i; j > 0 && key_of(a[j - 1]) == key_of(a[j]) &&
                           tie_key(rule, cell, column_of(a[j - 1])) > tie_key(rule, cell, column_of(a[j]));
             j--) {
            uint64_t x = a[j];
            a[j] = a[j - 1];
            a[j - 1] = x;
        }
}

/* Columns a[0..n) share the ranks from `rank` on: a random order of them. */
static void list_shuffled(aucell_ranker_t *r, uint64_t *a, size_t n, uint64_t rank, uint64_t cell)
{
    const aucell_rule_t *rule = r->rule;
    size_t top = rule->cut > rank ? rule->cut - (size_t)rank : 0;
    for (size_t i = 0; i < n; i++) a[i] = (tie_key(rule, cell, column_of(a[i])) >> 32 << 32) | column_of(a[i]);
    n = preselect(a, n, top, 53);
    sort_items(a, r->tmp, n);
    settle(rule, a, n, cell);
    for (size_t i = 0; i < n && i < top; i++) list_column(r, column_of(a[i]), new_class(r, gain_of(r, rank + i, rank + i + 1)));
}

/* Items r->a[0..n), of which the first takes the rank `base`. `zero` is taken off each contribution; when it is not 0, all are listed.
 */
static void list_items(aucell_ranker_t *r, size_t n, uint64_t base, int64_t zero, int shift, uint64_t cell)
{
    uint32_t cut = r->rule->cut;
    size_t top = base < cut ? cut - (size_t)base : 0, i = 0, j;
    size_t all = n;
    uint64_t *a = r->a;
    if (zero == 0) n = all = preselect(a, n, top, shift);
    sort_items(a, r->tmp, n);
    for (; i < n && i < top; i = j) {
        uint32_t key = key_of(a[i]), class;
        for (j = i + 1; j < n && key_of(a[j]) == key; j++) {}
        if (r->rule->ties != AUCELL_TIES_EXACT && j - i > 1) {
            list_shuffled(r, a + i, j - i, base + i, cell);
            continue;
        }
        class = new_class(r, gain_of(r, base + i, base + j) - zero);
        for (size_t k = i; k < j; k++) list_column(r, column_of(a[k]), class);
    }
    if (zero == 0 || i >= all) return;
    for (uint32_t class = new_class(r, -zero); i < all; i++) list_column(r, column_of(a[i]), class);
}

/* ---- rows ---- */

static void begin(aucell_ranker_t *r)
{
    r->n = 0;
    r->n_class = 0;
}

static void done(const aucell_ranker_t *r, int64_t zero, aucell_ranked_t *out)
{
    out->n = r->n;
    out->gene = r->gene;
    out->class = r->class;
    out->least = 1;
    out->gain = r->gain;
    out->zero = zero;
}

void aucell_rank_best(aucell_ranker_t *r, size_t n, uint64_t cell, aucell_ranked_t *out)
{
    begin(r);
    list_items(r, n, 0, 0, 53, cell);
    done(r, 0, out);
}

/* Values of one sign into r->a. */
static size_t gather(aucell_ranker_t *r, size_t n, const uint32_t *idx, const float *val, int negative)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        r->a[k] = (uint64_t)aucell_order(val[i]) << 32 | idx[i];
        k += negative ? val[i] < 0 : val[i] > 0;
    }
    return k;
}

/* The columns at zero in a random order behind n_pos better ones. */
static void list_zeros(aucell_ranker_t *r, size_t n_nz, const uint32_t *idx, uint64_t n_pos, uint64_t cell)
{
    size_t n = 0;
    for (size_t i = 0; i < n_nz; i++) r->seen[idx[i]] = 1;
    for (uint32_t g = 0; g < r->rule->n_genes; g++) {
        r->a[n] = g;
        n += !r->seen[g];
    }
    for (size_t i = 0; i < n_nz; i++) r->seen[idx[i]] = 0;
    list_shuffled(r, r->a, n, n_pos, cell);
}

/* Any values: sorted as far as they count. Exact ties: zeros are one block, whose contribution every column gets and the others
 * give back. */
static void rank_any(aucell_ranker_t *r, size_t n_nz, const uint32_t *idx, const float *val, uint64_t cell, aucell_ranked_t *out)
{
    const aucell_rule_t *rule = r->rule;
    uint64_t n_pos = 0, n_zero = rule->n_genes - n_nz;
    int64_t zero = 0;
    for (size_t i = 0; i < n_nz; i++) n_pos += val[i] > 0;
    int zeros_count = n_pos < rule->cut && n_zero > 0;
    if (zeros_count && rule->ties == AUCELL_TIES_EXACT) zero = gain_of(r, n_pos, n_pos + n_zero);
    begin(r);
    list_items(r, gather(r, n_nz, idx, val, 0), 0, zero, 52, cell);
    if (zeros_count && rule->ties != AUCELL_TIES_EXACT) list_zeros(r, n_nz, idx, n_pos, cell);
    if (n_pos < n_nz && (zero != 0 || n_pos + n_zero < rule->cut))
        list_items(r, gather(r, n_nz, idx, val, 1), n_pos + n_zero, zero, 52, cell);
    done(r, zero, out);
    out->n_detected = (uint32_t)n_pos;
}

/* Number of columns of each code below AUCELL_CODE_HIGH. Four counters side by side: most counts of a cell are the same. */
static void count_codes(const uint32_t *code, size_t n, uint32_t *count)
{
    uint32_t c[3][AUCELL_CODE_HIGH + 1];
    size_t i = 0;
    memset(c, 0, sizeof c);
    memset(count, 0, (AUCELL_CODE_HIGH + 1) * sizeof *count);
    for (; i + 4 <= n; i += 4) {
        count[code[i]]++;
        c[0][code[i + 1]]++;
        c[1][code[i + 2]]++;
        c[2][code[i + 3]]++;
    }
    for (; i < n; i++) count[code[i]]++;
    for (int v = 0; v <= AUCELL_CODE_HIGH; v++) count[v] += c[0][v] + c[1][v] + c[2][v];
}

/* Classes AUCELL_CODE_HIGH + 1, ... of the few values from AUCELL_CODE_HIGH on; 0 for those behind the cut. */
static void class_high(aucell_ranker_t *r, size_t n, const float *val, size_t n_high, int64_t zero)
{
    uint32_t class = AUCELL_CODE_HIGH;
    size_t k = 0;
    for (size_t i = 0; i < n && k < n_high; i++)
        if (r->class[i] == AUCELL_CODE_HIGH) r->a[k++] = (uint64_t)aucell_order(val[i]) << 32 | i;
    sort_items(r->a, r->tmp, n_high);
    for (size_t i = 0, j; i < n_high; i = j) {
        for (j = i + 1; j < n_high && key_of(r->a[j]) == key_of(r->a[i]); j++) {}
        r->gain[++class] = gain_of(r, i, j) - zero;
        for (size_t m = i; m < j; m++) r->class[column_of(r->a[m])] = i < r->rule->cut ? class : 0;
    }
}

/* Counts: the classes are the counts themselves. 0: the row is not of this kind. */
static int rank_counts(aucell_ranker_t *r, size_t n, const uint32_t *idx, const float *val, aucell_ranked_t *out)
{
    const aucell_rule_t *rule = r->rule;
    uint32_t count[AUCELL_CODE_HIGH + 1], v = AUCELL_CODE_HIGH;
    size_t n_high;
    uint64_t rank;
    int64_t zero = n < rule->cut && n < rule->n_genes ? gain_of(r, n, rule->n_genes) : 0;
    if (!rule->kernel->codes(val, n, r->class, &n_high) || n_high > MANY_HIGH) return 0;
    count_codes(r->class, n, count);
    if (n_high) class_high(r, n, val, n_high, zero);
    for (rank = n_high; v > 1 && rank < rule->cut;) {
        if (count[--v] == 0) continue;
        r->gain[v] = gain_of(r, rank, rank + count[v]) - zero;
        rank += count[v];
    }
    *out = (aucell_ranked_t){ n, idx, r->class, v, r->gain, zero, (uint32_t)n };
    return 1;
}

void aucell_rank_row(aucell_ranker_t *r, size_t n, const uint32_t *idx, const float *val, uint64_t cell, aucell_ranked_t *out)
{
    if (r->rule->ties != AUCELL_TIES_EXACT || !rank_counts(r, n, idx, val, out)) rank_any(r, n, idx, val, cell, out);
}
