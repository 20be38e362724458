#include "boost/forest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "boost/common.h"

#define BITS 28 /* of the range of a target */
#define FEW 16  /* cells of a node up to which they are sorted */
#define PART 4   /* at least a fourth of all cells makes a node whose cells are kept as bits */
#define COUNTS 32 /* codes of a predictor up to which sums have copies, so that no addition waits for the one before */
#define COPIES 4
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define NONE UINT32_MAX

typedef double pair_t __attribute__((vector_size(16))); /* sum of the target, number of draws: whole numbers, exact below 2^53 */

uint64_t grn_forest_tree_key(uint64_t seed, uint64_t tree)
{
    return grn_rng_key(seed, "forest.tree", tree, 0);
}

/* ---- predictors as codes: ranks of their values ---- */

typedef struct { /* what targets share; cells and predictors in the order of their hashes */
    const grn_bins_t *bins; /* until they are made */
    size_t n, p, row;     /* row: bytes of a predictor */
    int wide;             /* codes take two bytes */
    uint8_t *code;        /* (p, n) */
    uint32_t *n_code;     /* (p) */
    uint32_t *rest;       /* (p) the code of most cells; NONE: of no more than a third */
    size_t words;         /* of a bit a cell */
    uint64_t *bits;       /* (p, words) cells not at rest */
    uint32_t *cell_place; /* (n) of cell i of the bins */
    uint32_t *predictor;  /* (p) of the space, at a place */
    uint32_t *column;     /* (p) of the bins, at a place */
    size_t most_codes;
} codes_t;

static void codes_clear(codes_t *c)
{
    free(c->code);
    free(c->n_code);
    free(c->rest);
    free(c->bits);
    free(c->cell_place);
    free(c->predictor);
    free(c->column);
}

static grn_status code_work(void *ctx, size_t begin, size_t end, int worker)
{
    codes_t *c = ctx;
    const grn_bins_t *b = c->bins;
    (void)worker;
    for (size_t k = begin; k < end; k++) {
        size_t j = c->column[k];
        uint64_t first = b->run_off[j], middle = first + b->n_above[j], last = b->run_off[j + 1];
        uint32_t rest = (uint32_t)(last - middle);
        size_t stored = (size_t)(b->cell_off[last] - b->cell_off[first]);
        uint8_t *narrow = c->code + k * c->row;
        uint16_t *wide = (uint16_t *)(void *)narrow;
        uint64_t *bits = c->bits + k * c->words;
        for (size_t i = 0; i < c->n; i++) {
            if (c->wide) wide[i] = (uint16_t)rest;
            else narrow[i] = (uint8_t)rest;
        }
        for (uint64_t r = first; r < last; r++) {
            uint32_t code = r < middle ? (uint32_t)(rest + (middle - r)) : (uint32_t)(r - middle);
            for (uint64_t e = b->cell_off[r]; e < b->cell_off[r + 1]; e++) {
                uint32_t i = c->cell_place[b->cell[e]];
                bits[i / 64] |= (uint64_t)1 << (i % 64);
                if (c->wide) wide[i] = (uint16_t)code;
                else narrow[i] = (uint8_t)code;
            }
        }
        c->rest[k] = 3 * (c->n - stored) > c->n ? rest : NONE;
    }
    return GRN_OK;
}

static grn_status codes_init(codes_t *c, const grn_boost_space_t *s, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    const grn_bins_t *b = s->bins;
    *c = (codes_t){ .bins = b, .n = b->n, .p = s->p };
    GRN_TRY(GRN_NEW_RAW(c->n_code, c->p));
    GRN_TRY(GRN_NEW_RAW(c->rest, c->p));
    GRN_TRY(GRN_NEW_RAW(c->predictor, c->p));
    GRN_TRY(GRN_NEW_RAW(c->column, c->p));
    GRN_TRY(GRN_NEW_RAW(c->cell_place, c->n));
    GRN_TRY(grn_boost_order(s->name_key, c->p, c->predictor, NULL));
    GRN_TRY(grn_boost_order(s->cell_key, c->n, NULL, c->cell_place));
    for (size_t k = 0; k < c->p; k++) {
        size_t j = c->column[k] = s->column ? s->column[c->predictor[k]] : c->predictor[k];
        uint64_t n_code = b->run_off[j + 1] - b->run_off[j] + 1;
        if (n_code > 65536)
            GRN_FAIL(GRN_EUNSUP, "predictor %zu has %llu values or bins; at most 65,536 are supported", j, (unsigned long long)n_code);
        c->n_code[k] = (uint32_t)n_code;
        if (n_code > c->most_codes) c->most_codes = n_code;
    }
    c->wide = c->most_codes > 256;
    c->row = c->n << c->wide;
    GRN_TRY(GRN_NEW_RAW(c->code, c->p * c->row));
    c->words = (c->n + 63) / 64;
    GRN_TRY(GRN_NEW(c->bits, c->p * c->words));
    GRN_TRY(grn_par_for(pool, c->p, 16, code_work, c));
end:
    return rc;
}

/* ---- one tree ---- */

typedef struct {
    size_t begin, end; /* of its cells */
    uint64_t key;
    pair_t total;
} node_t;

typedef struct {
    double num, den; /* the decrease of the sum of squares is num / (den count) */
    uint32_t place, code; /* values up to this go to side 0; place NONE: no split */
    pair_t left;
} split_t;

typedef struct { /* one worker */
    const codes_t *c;
    uint32_t self;      /* place of the predictor that is the target */
    size_t m;
    int32_t *r;         /* (n) the target in whole numbers, of mean about 0 */
    uint32_t *count;    /* (n) draws of a cell */
    uint32_t *cell;     /* (n) of the nodes, one after the other */
    uint32_t *far_cell; /* (n) scratch */
    uint64_t *bits;     /* (words) the cells of the node at hand, if is_part; else 0 */
    int is_part;
    pair_t *pay;        /* (n) of a cell: draws r, draws */
    uint32_t *at;       /* (n + 8) scratch: cells not at rest */
    pair_t *hist;       /* (most_codes or (COUNTS, COPIES)) zero between uses */
    uint8_t *seen;      /* (most_codes, whole 64s) zero between uses */
    uint32_t *order;    /* (p) places; 0..p-1 between uses */
    uint32_t *drawn;    /* (p) */
    node_t *stack;
    size_t n_stack, cap_stack;
    double *tree, *importance, *out; /* (p) */
} worker_t;

static void worker_clear(worker_t *w)
{
    free(w->r);
    free(w->count);
    free(w->cell);
    free(w->far_cell);
    free(w->bits);
    free(w->pay);
    free(w->at);
    free(w->hist);
    free(w->seen);
    free(w->order);
    free(w->drawn);
    free(w->stack);
    free(w->tree);
    free(w->importance);
    free(w->out);
}

static grn_status worker_init(worker_t *w, const codes_t *c)
{
    grn_status rc = GRN_OK;
    w->c = c;
    GRN_TRY(GRN_NEW_RAW(w->r, c->n));
    GRN_TRY(GRN_NEW_RAW(w->count, c->n));
    GRN_TRY(GRN_NEW_RAW(w->cell, c->n));
    GRN_TRY(GRN_NEW_RAW(w->far_cell, c->n));
    GRN_TRY(GRN_NEW(w->bits, c->words));
    GRN_TRY(GRN_NEW_RAW(w->pay, c->n));
    GRN_TRY(GRN_NEW_RAW(w->at, c->n + 8));
    GRN_TRY(GRN_NEW(w->hist, c->most_codes > COUNTS * COPIES ? c->most_codes : COUNTS * COPIES));
    GRN_TRY(GRN_NEW(w->seen, (c->most_codes + 63) / 64 * 64));
    GRN_TRY(GRN_NEW_RAW(w->order, c->p));
    GRN_TRY(GRN_NEW_RAW(w->drawn, c->p));
    GRN_TRY(GRN_NEW_RAW(w->tree, c->p));
    GRN_TRY(GRN_NEW_RAW(w->importance, c->p));
    GRN_TRY(GRN_NEW_RAW(w->out, c->p));
    for (size_t k = 0; k < c->p; k++) w->order[k] = (uint32_t)k;
end:
    return rc;
}

/* Cells of the node that are not at rest, into w->at: what both sets of bits have, four at a time for the sake of few branches. */
static size_t meet(worker_t *w, uint32_t place)
{
    const uint64_t *bits = w->c->bits + place * w->c->words;
    size_t to = 0;
    for (size_t i = 0; i < w->c->words; i++) {
        uint64_t both = w->bits[i] & bits[i];
        while (both) {
            for (int k = 0; k < 4; k++) {
                w->at[to] = (uint32_t)(64 * i) + (uint32_t)__builtin_ctzll(both | (uint64_t)1 << 63);
                to += both != 0;
                both &= both - 1;
            }
        }
    }
    return to;
}

ALWAYS_INLINE uint32_t code_in(const uint8_t *row, int wide, size_t cell)
{
    return wide ? ((const uint16_t *)(const void *)row)[cell] : row[cell];
}

static inline uint32_t code_at(const codes_t *c, uint32_t place, uint32_t cell)
{
    return code_in(c->code + place * c->row, c->wide, cell);
}

/* The node's cells that are not at rest. */
ALWAYS_INLINE const uint32_t *list_cells(worker_t *w, const node_t *node, uint32_t place, int wide, size_t *n_at)
{
    const uint8_t *row = w->c->code + place * w->c->row;
    const uint32_t *cell = w->cell + node->begin;
    uint32_t rest = w->c->rest[place];
    size_t n = node->end - node->begin, to = 0;
    *n_at = n;
    if (rest == NONE) return cell;
    if (w->is_part) {
        to = meet(w, place);
    } else {
        for (size_t k = 0; k < n; k++) {
            w->at[to] = cell[k];
            to += code_in(row, wide, cell[k]) != rest;
        }
    }
    *n_at = to;
    return w->at;
}

/* Marks of 64 codes as bits; clears them. */
static inline uint64_t take_marks(uint8_t *seen)
{
    uint64_t mask = 0, x;
    for (int k = 0; k < 8; k++) {
        memcpy(&x, seen + 8 * k, 8);
        mask |= ((x * 0x0102040810204080u) >> 56) << (8 * k);
    }
    memset(seen, 0, 64);
    return mask;
}

static inline void try_split(const node_t *node, pair_t left, uint32_t place, uint32_t code, split_t *best)
{
    double S = node->total[0], W = node->total[1], s = left[0], w = left[1];
    double a = s * W - S * w, num = a * a, den = w * (W - w);
    if (!(num * best->den > best->num * den)) return;
    *best = (split_t){ num, den, place, code, left };
}

/* Every boundary between two values that the node has, from the lowest up. */
ALWAYS_INLINE void walk(worker_t *w, const node_t *node, uint32_t place, split_t *best, int wide)
{
    const uint8_t *row = w->c->code + place * w->c->row;
    uint32_t n_code = w->c->n_code[place], rest = w->c->rest[place], last = NONE;
    size_t n_at;
    const uint32_t *at = list_cells(w, node, place, wide, &n_at);
    pair_t left = { 0, 0 }, others = { 0, 0 };
    for (size_t k = 0; k < n_at; k++) {
        uint32_t x = code_in(row, wide, at[k]);
        w->hist[x] += w->pay[at[k]];
        w->seen[x] = 1;
        others += w->pay[at[k]];
    }
    if (rest != NONE) {
        w->hist[rest] = node->total - others;
        w->seen[rest] = w->hist[rest][1] > 0;
    }
    for (uint32_t base = 0; base < n_code; base += 64) {
        for (uint64_t mask = take_marks(w->seen + base); mask; mask &= mask - 1) {
            uint32_t code = base + (uint32_t)__builtin_ctzll(mask);
            if (last != NONE) try_split(node, left, place, last, best);
            left += w->hist[code];
            w->hist[code] = (pair_t){ 0, 0 };
            last = code;
        }
    }
}

/* The same for no more than COUNTS codes. */
ALWAYS_INLINE void walk_counts(worker_t *w, const node_t *node, uint32_t place, split_t *best, int wide)
{
    const uint8_t *row = w->c->code + place * w->c->row;
    uint32_t n_code = w->c->n_code[place], rest = w->c->rest[place], last = NONE;
    size_t n_at, k = 0;
    const uint32_t *at = list_cells(w, node, place, wide, &n_at);
    pair_t left = { 0, 0 }, others = { 0, 0 }, (*hist)[COPIES] = (pair_t(*)[COPIES])w->hist, sum[COUNTS];
    if (n_at == 0) return;
    for (; k + 4 <= n_at; k += 4) {
        hist[code_in(row, wide, at[k])][0] += w->pay[at[k]];
        hist[code_in(row, wide, at[k + 1])][1] += w->pay[at[k + 1]];
        hist[code_in(row, wide, at[k + 2])][2] += w->pay[at[k + 2]];
        hist[code_in(row, wide, at[k + 3])][3] += w->pay[at[k + 3]];
    }
    for (; k < n_at; k++) hist[code_in(row, wide, at[k])][0] += w->pay[at[k]];
    for (uint32_t x = 0; x < n_code; x++) {
        sum[x] = (hist[x][0] + hist[x][1]) + (hist[x][2] + hist[x][3]);
        others += sum[x];
        hist[x][0] = hist[x][1] = hist[x][2] = hist[x][3] = (pair_t){ 0, 0 };
    }
    if (rest != NONE) sum[rest] = node->total - others;
    for (uint32_t x = 0; x < n_code; x++) {
        if (sum[x][1] == 0) continue;
        if (last != NONE) try_split(node, left, place, last, best);
        left += sum[x];
        last = x;
    }
}

typedef int16_t few_t __attribute__((vector_size(2 * FEW)));

/* The same for no more than FEW cells, sorted by counting those that come before each. Codes are below 2,048. */
ALWAYS_INLINE void walk_few(const worker_t *w, const node_t *node, uint32_t place, split_t *best, int wide)
{
    const uint8_t *row = w->c->code + place * w->c->row;
    const uint32_t *cell = w->cell + node->begin;
    size_t n = node->end - node->begin, at[FEW];
    int16_t key[FEW] = { 0 }, rank[FEW], first = (int16_t)(code_in(row, wide, cell[0]) * FEW), differ = 0;
    few_t keys, ranks = { 0 };
    for (size_t k = 0; k < n; k++) {
        key[k] = (int16_t)(code_in(row, wide, cell[k]) * FEW + k);
        differ |= key[k] ^ first;
    }
    if (differ < FEW) return;
    memcpy(&keys, key, sizeof keys);
    for (size_t k = 0; k < n; k++) ranks -= keys > key[k];
    memcpy(rank, &ranks, sizeof rank);
    for (size_t k = 0; k < n; k++) at[rank[k]] = k;
    pair_t left = w->pay[cell[at[0]]];
    for (size_t k = 1; k < n; k++) {
        int last = key[at[k - 1]] / FEW;
        if (key[at[k]] / FEW != last) try_split(node, left, place, (uint32_t)last, best);
        left += w->pay[cell[at[k]]];
    }
}

/* Two cells: all predictors that tell them apart are equal, the first has it. */
static void walk_two(const worker_t *w, const node_t *node, uint32_t place, split_t *best)
{
    const uint32_t *cell = w->cell + node->begin;
    uint32_t x = code_at(w->c, place, cell[0]), y = code_at(w->c, place, cell[1]);
    if (x != y) try_split(node, w->pay[cell[x > y]], place, x < y ? x : y, best);
}

/* All boundaries of a predictor that is not constant. */
ALWAYS_INLINE void look(worker_t *w, const node_t *node, uint32_t place, split_t *best, int wide)
{
    size_t n = node->end - node->begin, n_code = w->c->n_code[place];
    if (n == 2) walk_two(w, node, place, best);
    else if (n_code <= COUNTS) walk_counts(w, node, place, best, wide);
    else if (n <= FEW && n_code <= 2048) walk_few(w, node, place, best, wide);
    else walk(w, node, place, best, wide);
}

static void look_narrow(worker_t *w, const node_t *node, uint32_t place, split_t *best)
{
    look(w, node, place, best, 0);
}

static void look_wide(worker_t *w, const node_t *node, uint32_t place, split_t *best)
{
    look(w, node, place, best, 1);
}

static void set_bits(worker_t *w, const node_t *node)
{
    w->is_part = (node->end - node->begin) * PART >= w->c->n;
    for (size_t k = node->begin; k < node->end && w->is_part;) {
        size_t i = w->cell[k] / 64;
        uint64_t word = 0;
        for (; k < node->end && w->cell[k] / 64 == i; k++) word |= (uint64_t)1 << (w->cell[k] % 64);
        w->bits[i] = word;
    }
}

static split_t search(worker_t *w, const node_t *node)
{
    split_t best = { -1, 1, NONE, 0, { 0, 0 } };
    size_t p = w->c->p, i = 0, visited = 0, two = node->end - node->begin == 2;
    set_bits(w, node);
    for (; i < p && (visited < w->m || best.place == NONE); i++) {
        size_t k = i + grn_forest_draw(node->key, i + 1, p - i);
        uint32_t place = w->order[k];
        w->drawn[i] = (uint32_t)k;
        w->order[k] = w->order[i];
        w->order[i] = place;
        if (place == w->self) continue;
        visited++;
        if (w->c->n_code[place] < 2) continue;
        if (w->c->wide) look_wide(w, node, place, &best);
        else look_narrow(w, node, place, &best);
        if (two && best.place != NONE) visited = w->m;
    }
    if (w->is_part) memset(w->bits, 0, w->c->words * sizeof *w->bits);
    while (i-- > 0) {
        uint32_t place = w->order[i];
        w->order[i] = w->order[w->drawn[i]];
        w->order[w->drawn[i]] = place;
    }
    return best;
}

static int is_pure(const worker_t *w, const node_t *node)
{
    size_t k = node->begin + 1;
    int32_t first = w->r[w->cell[node->begin]];
    while (k < node->end && w->r[w->cell[k]] == first) k++;
    return k >= node->end;
}

/* Cells of side 0 come first, each side in the order it had; where side 1 begins. */
static size_t divide(worker_t *w, const node_t *node, const split_t *s)
{
    size_t near = node->begin, far = 0;
    for (size_t k = node->begin; k < node->end; k++) {
        uint32_t cell = w->cell[k];
        size_t stays = code_at(w->c, s->place, cell) <= s->code;
        w->cell[near] = w->far_cell[far] = cell;
        near += stays;
        far += !stays;
    }
    memcpy(w->cell + near, w->far_cell, far * sizeof *w->cell);
    return near;
}

static grn_status push(worker_t *w, const node_t *node)
{
    if (node->end - node->begin < 2) return GRN_OK;
    grn_status rc = GRN_GROW(w->stack, w->cap_stack, w->n_stack + 1);
    if (!rc) w->stack[w->n_stack++] = *node;
    return rc;
}

static node_t draw_cells(worker_t *w, uint64_t key)
{
    size_t n = w->c->n;
    node_t root = { 0, 0, grn_forest_node_key(key, 2), { 0, 0 } };
    memset(w->count, 0, n * sizeof *w->count);
    for (size_t k = 0; k < n; k++) w->count[grn_forest_draw(key, k + 1, n)]++;
    for (size_t i = 0; i < n; i++) {
        if (w->count[i] == 0) continue;
        pair_t pay = { (double)w->count[i] * w->r[i], w->count[i] };
        w->cell[root.end++] = (uint32_t)i;
        w->pay[i] = pay;
        root.total += pay;
    }
    return root;
}

/* Decreases of the sum of squares by places into w->tree. */
static grn_status grow(worker_t *w, uint64_t key)
{
    grn_status rc = GRN_OK;
    node_t node = draw_cells(w, key);
    memset(w->tree, 0, w->c->p * sizeof *w->tree);
    w->n_stack = 0;
    GRN_TRY(push(w, &node));
    while (w->n_stack) {
        node = w->stack[--w->n_stack];
        if (is_pure(w, &node)) continue;
        split_t s = search(w, &node);
        if (s.place == NONE) continue;
        w->tree[s.place] += s.num / (s.den * node.total[1]);
        size_t middle = divide(w, &node, &s);
        GRN_TRY(push(w, &(node_t){ middle, node.end, grn_forest_node_key(node.key, 1), node.total - s.left }));
        GRN_TRY(push(w, &(node_t){ node.begin, middle, grn_forest_node_key(node.key, 0), s.left }));
    }
end:
    return rc;
}

/* ---- many targets ---- */

typedef struct {
    const grn_forest_opt_t *opt;
    const grn_boost_space_t *space;
    const grn_boost_target_t *target;
    grn_boost_fn fn;
    void *ctx;
    codes_t codes;
    worker_t *worker;
} many_t;

/* The target in units of 2^-BITS of its range, less their mean: the same numbers for any order of cells. */
static grn_status fill_target(worker_t *w, const grn_spcol_t *y, int *varies)
{
    double low, high;
    size_t n = w->c->n;
    int exponent;
    int64_t sum = 0;
    grn_status rc = grn_boost_range(y, "a target", &low, &high);
    if (rc) return rc;
    *varies = low < high;
    if (!*varies) return GRN_OK;
    frexp(high - low, &exponent);
    int32_t rest = (int32_t)lrint(ldexp(-low, BITS - exponent));
    for (size_t i = 0; i < n; i++) w->r[i] = rest;
    for (size_t k = 0; k < y->n_nz; k++) w->r[w->c->cell_place[y->idx[k]]] = (int32_t)lrint(ldexp(y->val[k] - low, BITS - exponent));
    for (size_t i = 0; i < n; i++) sum += w->r[i];
    int32_t mean = (int32_t)(sum / (int64_t)n);
    for (size_t i = 0; i < n; i++) w->r[i] -= mean;
    return GRN_OK;
}

static double sum_of(const double *x, size_t n)
{
    double sum = 0;
    for (size_t k = 0; k < n; k++) sum += x[k];
    return sum;
}

static grn_status fit(worker_t *w, const grn_forest_opt_t *o)
{
    size_t p = w->c->p, others = p - (w->self != NONE);
    w->m = o->max_features ? o->max_features : (size_t)sqrt((double)others);
    memset(w->importance, 0, p * sizeof *w->importance);
    for (size_t t = 0; t < o->n_trees; t++) {
        grn_status rc = grow(w, grn_forest_tree_key(o->seed, t));
        if (rc) return rc;
        double sum = sum_of(w->tree, p);
        for (size_t k = 0; k < p && sum > 0; k++) w->importance[k] += w->tree[k] / sum;
    }
    double sum = sum_of(w->importance, p);
    for (size_t k = 0; k < p; k++) w->out[w->c->predictor[k]] = sum > 0 ? w->importance[k] / sum : 0;
    return GRN_OK;
}

static uint32_t place_of(const codes_t *c, uint32_t predictor)
{
    if (predictor == GRN_TREE_NOBODY) return NONE;
    for (uint32_t k = 0; k < c->p; k++)
        if (c->predictor[k] == predictor) return k;
    return NONE;
}

static grn_status many_work(void *ctx, size_t begin, size_t end, int worker)
{
    grn_status rc = GRN_OK;
    const many_t *m = ctx;
    worker_t *w = &m->worker[worker];
    if (!w->c) GRN_TRY(worker_init(w, &m->codes));
    for (size_t t = begin; t < end; t++) {
        int varies;
        w->self = place_of(w->c, m->target[t].self);
        GRN_TRY(fill_target(w, &m->target[t].y, &varies));
        varies = varies && w->c->p > (w->self != NONE);
        if (varies) GRN_TRY(fit(w, m->opt));
        else memset(w->out, 0, w->c->p * sizeof *w->out);
        GRN_TRY(m->fn(m->ctx, t, varies ? m->opt->n_trees : 0, w->out, worker));
    }
end:
    return rc;
}

grn_status grn_forest_many(const grn_forest_opt_t *opt, const grn_boost_space_t *space, const grn_boost_target_t *target,
                           size_t n_targets, grn_par_t *pool, grn_boost_fn fn, void *ctx)
{
    grn_status rc = GRN_OK;
    int n_workers = grn_par_n(pool);
    many_t m = { opt, space, target, fn, ctx, { 0 }, NULL };
    if (space->p == 0) return grn_err(GRN_EINVAL, "a forest without predictors");
    if (space->bins->n < 2) return grn_err(GRN_EINVAL, "a forest over %zu cells; at least 2 are needed", space->bins->n);
    if (space->bins->n >> 24) return grn_err(GRN_EUNSUP, "a forest over %zu cells; at most 16,777,215 are supported", space->bins->n);
    GRN_TRY(codes_init(&m.codes, space, pool));
    GRN_TRY(GRN_NEW(m.worker, (size_t)n_workers));
    GRN_TRY(grn_par_for(pool, n_targets, 1, many_work, &m));
end:
    for (int k = 0; m.worker && k < n_workers; k++) worker_clear(&m.worker[k]);
    free(m.worker);
    codes_clear(&m.codes);
    return rc;
}
