/* The tree of tree.h for LANES lanes under the name TREE; compiled several times. */
#include <math.h>
#include <string.h>

#include "boost/tree.h"

#if LANES > 1
typedef int64_t whole_t __attribute__((vector_size(LANES * 8)));
typedef double real_t __attribute__((vector_size(LANES * 8)));
typedef int32_t half_t __attribute__((vector_size(LANES * 4)));
typedef uint8_t byte_t __attribute__((vector_size(LANES)));
#define TO(type, x) __builtin_convertvector(x, type)
#define AS(type, x) ((type)(x))
#define MASK(x) ((whole_t)(x)) /* all bits of the lanes where a comparison holds */
#define AT(x, lane) ((x)[lane])
#define SHIFT(x, bits) ((x) << (bits))
#else
typedef int64_t whole_t;
typedef double real_t;
typedef int32_t half_t;
typedef uint8_t byte_t;
#define TO(type, x) ((type)(x))
#define MASK(x) (-(int64_t)(x))
#define AT(x, lane) (*(&(x) + 0 * (lane)))
#define SHIFT(x, bits) ((int64_t)((uint64_t)(x) << (bits))) /* of negative numbers, too */
#endif

static inline whole_t pick(whole_t mask, whole_t a, whole_t b)
{
    return (mask & a) | (~mask & b);
}

static inline real_t pick_real(whole_t mask, real_t a, real_t b)
{
#if LANES > 1
    return AS(real_t, pick(mask, AS(whole_t, a), AS(whole_t, b)));
#else
    return mask ? a : b;
#endif
}

static inline int any(whole_t mask)
{
    int64_t x = 0;
    for (int i = 0; i < LANES; i++) x |= AT(mask, i);
    return x != 0;
}

typedef struct {       /* the best split of a node so far, in each lane */
    real_t sum, count; /* of the node */
    real_t num, den;   /* the decrease of the sum of squares is num / (den count) */
    whole_t which;     /* place in the order << 32 | run of the predictor; -1: none */
    whole_t moved;     /* the sum over the cells that move */
} best_t;

static inline const uint32_t *node_order(const grn_tree_in_t *in, size_t node)
{
    return in->order + node * in->p;
}

static inline uint32_t predictor_at(const grn_tree_in_t *in, const uint32_t *order, size_t place)
{
    size_t k = in->start + place;
    return order[k < in->p ? k : k - in->p];
}

static inline size_t column_of(const grn_tree_in_t *in, uint32_t predictor)
{
    return in->column ? in->column[predictor] : predictor;
}

/* Runs [begin, end) of one side of the rest, outermost first: every boundary behind a run is a split. */
static inline void walk_side(const grn_bins_t *b, const whole_t *sum, uint64_t begin, uint64_t end, int64_t which, unsigned count_bits,
                             whole_t allow, best_t *best)
{
    whole_t moved = { 0 };
    const uint32_t *cell = b->cell + b->cell_off[begin];
    const int64_t count_mask = ((int64_t)1 << count_bits) - 1;
    best_t x = *best;
    for (uint64_t r = begin; r < end; r++) {
        const uint32_t *stop = b->cell + b->cell_off[r + 1];
        for (; cell < stop; cell++) moved += sum[*cell];
        real_t n = TO(real_t, moved & count_mask), s = TO(real_t, moved >> count_bits);
        real_t a = s * x.count - x.sum * n, den = n * (x.count - n), num = a * a;
        whole_t better = MASK(num * x.den > x.num * den) & allow;
        x.num = pick_real(better, num, x.num);
        x.den = pick_real(better, den, x.den);
        x.which = pick(better, (whole_t){ 0 } + (which + (int64_t)r), x.which);
        x.moved = pick(better, moved, x.moved);
    }
    *best = x;
}

static inline void walk(const grn_tree_in_t *in, const whole_t *sum, uint32_t predictor, size_t place, whole_t allow, best_t *best)
{
    const grn_bins_t *b = in->bins;
    size_t j = column_of(in, predictor);
    uint64_t begin = b->run_off[j], middle = begin + b->n_above[j], end = b->run_off[j + 1];
    int64_t which = (int64_t)((uint64_t)place << 32) - (int64_t)begin;
    walk_side(b, sum, begin, middle, which, in->count_bits, allow, best);
    if (middle < end) walk_side(b, sum, middle, end, which, in->count_bits, allow, best);
}

/* All residuals of the lane's node are the same. */
static int is_pure(const grn_tree_in_t *in, const whole_t *sum, int lane)
{
    int64_t first = 0;
    for (size_t i = 0; i < in->bins->n; i++) {
        int64_t x = AT(sum[i], lane);
        if (x == 0) continue;
        if (first == 0) first = x;
        else if (x != first) return 0;
    }
    return 1;
}

static whole_t lane_mask(int lane)
{
    whole_t mask = { 0 };
    AT(mask, lane) = -1;
    return mask;
}

static whole_t selves(const grn_tree_lanes_t *l, uint32_t predictor)
{
    whole_t mask = { 0 };
    for (int i = 0; i < LANES; i++)
        if (l->self[i] == predictor) mask |= lane_mask(i);
    return mask;
}

/* Lanes of `open` without a split whose residuals differ. */
static whole_t without_split(const grn_tree_in_t *in, const whole_t *sum, whole_t open, const best_t *best)
{
    whole_t need = open & MASK(best->which < 0);
    for (int i = 0; i < LANES && any(need); i++)
        if (AT(need, i) && is_pure(in, sum, i)) need &= ~lane_mask(i);
    return need;
}

/* Looks at m predictors other than the target itself; where all of them are constant within the node, at more, until one is not. */
static void search(const grn_tree_in_t *in, const grn_tree_lanes_t *l, const whole_t *sum, size_t node, whole_t total, best_t *best)
{
    const uint32_t *order = in->order + node * in->p;
    whole_t self = { 0 };
    best->sum = TO(real_t, total >> in->count_bits);
    best->count = TO(real_t, total & (((int64_t)1 << in->count_bits) - 1));
    real_t noise = best->sum * best->count * 0x1p-50; /* of rounding, where all residuals are the same */
    best->num = noise * noise;
    best->den = (real_t){ 0 } + 1;
    best->which = (whole_t){ 0 } - 1;
    best->moved = (whole_t){ 0 };
    whole_t open = MASK(best->count > 1);
    if (!any(open)) return;
    size_t place = 0;
    for (; place < in->m; place++) {
        uint32_t predictor = predictor_at(in, order, place);
        whole_t own = selves(l, predictor);
        self |= own;
        walk(in, sum, predictor, place, open & ~own, best);
    }
    if (place < in->p && any(self)) walk(in, sum, predictor_at(in, order, place), place, open & self, best);
    for (whole_t need = without_split(in, sum, open, best); place < in->p && any(need); place++) {
        uint32_t predictor = predictor_at(in, order, place);
        walk(in, sum, predictor, place, need & ~selves(l, predictor), best);
        need &= MASK(best->which < 0);
    }
}

/* ---- a split, lane by lane ---- */

static int in_node(const grn_bins_t *b, const whole_t *sum, uint64_t run, int lane)
{
    for (uint64_t k = b->cell_off[run]; k < b->cell_off[run + 1]; k++)
        if (AT(sum[b->cell[k]], lane)) return 1;
    return 0;
}

/* The node has cells with the value that is not stored. */
static int has_rest(const grn_bins_t *b, const whole_t *sum, size_t j, int64_t count, int64_t count_mask, int lane)
{
    int64_t stored = 0;
    for (uint64_t k = b->cell_off[b->run_off[j]]; k < b->cell_off[b->run_off[j + 1]]; k++)
        stored += AT(sum[b->cell[k]], lane) & count_mask;
    return stored < count;
}

typedef struct { /* cells that move: those of runs [begin, end) */
    uint64_t begin, end;
    int above;
    double threshold;
} moves_t;

/* The threshold lies in the middle between the values of the node on either side of the boundary behind `run`, as scikit-learn has it:
 * which way go cells that are not of the node's sample and lie between. */
static moves_t settle(const grn_bins_t *b, const whole_t *sum, size_t j, uint64_t run, int64_t count, int64_t count_mask, int lane)
{
    uint64_t begin = b->run_off[j], middle = begin + b->n_above[j], end = b->run_off[j + 1], k = run + 1;
    int above = run < middle;
    double here = above ? b->low[run] : b->high[run], there = b->rest[j];
    for (; k < (above ? middle : end) && !in_node(b, sum, k, lane); k++) {}
    if (k < (above ? middle : end)) {
        there = above ? b->high[k] : b->low[k];
    } else if ((above ? end > middle : middle > begin) && !has_rest(b, sum, j, count, count_mask, lane)) {
        for (k = above ? end : middle; k-- > begin;) /* the innermost of the other side */
            if (in_node(b, sum, k, lane)) break;
        there = above ? b->high[k] : b->low[k];
    }
    double threshold = (here + there) / 2;
    if (!(threshold < (above ? here : there))) threshold = above ? there : here; /* neighbours in float */
    above = threshold >= b->rest[j];
    moves_t m = { above ? begin : middle, above ? begin : middle, above, threshold };
    while (m.end < (above ? middle : end) && (above ? b->low[m.end] > threshold : b->high[m.end] <= threshold)) m.end++;
    return m;
}

static inline int64_t move(const grn_bins_t *b, const moves_t *m, whole_t *from, whole_t *to, byte_t *leaf, unsigned slot,
                           unsigned child, int lane)
{
    int64_t moved = 0;
    int64_t *x = (int64_t *)from + lane, *y = (int64_t *)to + lane;
    uint8_t *at = (uint8_t *)leaf + lane;
    for (uint64_t k = b->cell_off[m->begin]; k < b->cell_off[m->end]; k++) {
        size_t i = (size_t)b->cell[k] * LANES;
        if (at[i] != slot) continue;
        at[i] = (uint8_t)child;
        moved += x[i];
        if (!to) continue;
        y[i] = x[i];
        x[i] = 0;
    }
    return moved;
}

static void split_node(const grn_tree_in_t *in, grn_tree_lanes_t *l, int level, unsigned slot, whole_t *total)
{
    const int64_t count_mask = ((int64_t)1 << in->count_bits) - 1;
    size_t n = in->bins->n, node = (1u << level) - 1 + slot;
    unsigned child = slot + (1u << level);
    whole_t *sum = (whole_t *)l->sum + slot * n, *to = level < 2 ? (whole_t *)l->sum + child * n : NULL;
    best_t best;
    search(in, l, sum, node, total[slot], &best);
    total[child] = (whole_t){ 0 };
    if (to) memset(to, 0, n * sizeof *to);
    for (int i = 0; i < LANES; i++) {
        grn_tree_split_t *s = &l->split[i][node];
        s->predictor = GRN_TREE_NOBODY;
        int64_t which = AT(best.which, i);
        if (which < 0) continue;
        s->predictor = predictor_at(in, in->order + node * in->p, (size_t)(which >> 32));
        size_t j = column_of(in, s->predictor);
        moves_t m = settle(in->bins, sum, j, in->bins->run_off[j] + (uint32_t)which, AT(total[slot], i) & count_mask, count_mask, i);
        s->above = (uint8_t)m.above;
        s->threshold = m.threshold;
        if (l->live[i]) l->importance[i][s->predictor] += AT(best.num, i) / (AT(best.den, i) * AT(best.count, i));
        int64_t moved = move(in->bins, &m, sum, to, (byte_t *)l->leaf, slot, child, i);
        AT(total[child], i) = moved;
        AT(total[slot], i) -= moved;
    }
}

/* ---- a tree ---- */

static whole_t begin_tree(const grn_tree_in_t *in, grn_tree_lanes_t *l)
{
    const half_t *r = (const half_t *)l->r;
    whole_t *sum = (whole_t *)l->sum, live = { 0 }, total = { 0 }, one = { 0 };
    int64_t half = in->shift ? (int64_t)1 << (in->shift - 1) : 0;
    for (int i = 0; i < LANES; i++)
        if (l->live[i]) live |= lane_mask(i);
    one = live & 1;
    for (size_t i = 0; i < in->bins->n; i++) sum[i] = (SHIFT((TO(whole_t, r[i]) + half) >> in->shift, in->count_bits) & live) + one;
    for (size_t k = 0; k < in->n_out; k++) sum[in->out[k]] = (whole_t){ 0 };
    for (size_t i = 0; i < in->bins->n; i++) total += sum[i];
    memset(l->leaf, 0, in->bins->n * LANES);
    return total;
}

static void steps(const grn_tree_in_t *in, grn_tree_lanes_t *l, const whole_t *total)
{
    for (int i = 0; i < LANES; i++) {
        for (int k = 0; k < GRN_TREE_LEAVES; k++) {
            int64_t count = AT(total[k], i) & (((int64_t)1 << in->count_bits) - 1), sum = AT(total[k], i) >> in->count_bits;
            double step = count ? in->rate * ldexp((double)sum, (int)in->shift) / (double)count : 0;
            l->step[i][k] = (int32_t)llrint(step);
        }
    }
}

/* Steps of the leaves, chosen by the bits of the leaf's number. */
static inline half_t step_of(const half_t step[GRN_TREE_LEAVES], byte_t leaf)
{
    half_t id = TO(half_t, leaf), b0 = -(id & 1), b1 = -(id >> 1 & 1), b2 = -(id >> 2), x[4], y[2];
    for (int k = 0; k < 4; k++) x[k] = (b2 & step[k + 4]) | (~b2 & step[k]);
    for (int k = 0; k < 2; k++) y[k] = (b1 & x[k + 2]) | (~b1 & x[k]);
    return (b0 & y[1]) | (~b0 & y[0]);
}

/* Takes the leaves' steps off the residuals; what that gains where the tree did not see is told. */
static void update(const grn_tree_in_t *in, grn_tree_lanes_t *l)
{
    half_t *r = (half_t *)l->r, step[GRN_TREE_LEAVES];
    const byte_t *leaf = (const byte_t *)l->leaf;
    real_t gain = { 0 };
    for (int k = 0; k < GRN_TREE_LEAVES; k++)
        for (int i = 0; i < LANES; i++) AT(step[k], i) = l->step[i][k];
    for (size_t k = 0; k < in->n_out; k++) {
        size_t i = in->out[k];
        real_t d = TO(real_t, step_of(step, leaf[i]));
        gain += d * (2 * TO(real_t, r[i]) - d);
    }
    for (int i = 0; i < LANES; i++) l->gain[i] = AT(gain, i);
    for (size_t i = 0; i < in->bins->n; i++) r[i] -= step_of(step, leaf[i]);
}

static void grow(const grn_tree_in_t *in, grn_tree_lanes_t *l)
{
    whole_t total[GRN_TREE_LEAVES];
    total[0] = begin_tree(in, l);
    for (int level = 0; level < 3; level++)
        for (unsigned slot = 0; slot < 1u << level; slot++) split_node(in, l, level, slot, total);
    steps(in, l, total);
    update(in, l);
}

const grn_tree_fn TREE = grow;
