#include "boost/boost.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define BITS 23         /* of the largest residual at the start: it has room to grow fourfold */
#define TREES_AT_ONCE 8 /* of a group of lanes, before the next group's turn */
#define ALONE 2         /* lanes of a group that cost less one by one */
#define BATCH_TARGETS 512
#define BATCH_BYTES ((size_t)256 << 20) /* of residuals */

/* ---- residuals ---- */

typedef struct {
    double mean;
    int scale; /* a residual of 1 is 2^scale units */
} units_t;

/* Words of residuals of the mean, every `stride`-th of r. varies = 0: the target is constant, r is not filled. */
static grn_status fill_residuals(const grn_spcol_t *y, int32_t *r, size_t stride, units_t *u, int *varies)
{
    double sum = 0, low = y->n_nz < y->n ? 0 : INFINITY, high = -low;
    for (size_t k = 0; k < y->n_nz; k++) {
        if (!isfinite(y->val[k])) return grn_err(GRN_ENONFINITE, "a target holds %g in cell %u", y->val[k], y->idx[k]);
        sum += y->val[k];
        low = y->val[k] < low ? y->val[k] : low;
        high = y->val[k] > high ? y->val[k] : high;
    }
    u->mean = sum / (double)y->n;
    *varies = low < high;
    if (!*varies) return GRN_OK;
    int exponent;
    frexp(fmax(high - u->mean, u->mean - low), &exponent);
    u->scale = BITS - exponent;
    int32_t rest = GRN_TREE_BIAS + (int32_t)lrint(ldexp(-u->mean, u->scale));
    for (size_t i = 0; i < y->n; i++) r[i * stride] = rest;
    for (size_t k = 0; k < y->n_nz; k++) r[y->idx[k] * stride] = GRN_TREE_BIAS + (int32_t)lrint(ldexp(y->val[k] - u->mean, u->scale));
    return GRN_OK;
}

static void to_shares(double *importance, size_t p)
{
    double sum = 0;
    for (size_t j = 0; j < p; j++) sum += importance[j];
    for (size_t j = 0; j < p && sum > 0; j++) importance[j] /= sum;
}

static grn_status check(const grn_boost_space_t *s)
{
    if (s->p == 0) return grn_err(GRN_EINVAL, "boosting without predictors");
    if (s->bins->n < 2) return grn_err(GRN_EINVAL, "boosting over %zu cells; at least 2 are needed", s->bins->n);
    if (s->bins->n >> 24) return grn_err(GRN_EUNSUP, "boosting over %zu cells; at most 16,777,215 are supported", s->bins->n);
    return GRN_OK;
}

/* ---- early stopping ---- */

typedef struct {
    size_t target, n_trees;
    double *gain; /* (window) of the last trees */
    double *importance;
} lane_t;

/* Notes the gain of the next tree; 1 = that was the last. */
static int is_done(const grn_boost_opt_t *o, lane_t *l, double gain)
{
    size_t t = l->n_trees++;
    if (o->window) {
        double sum = 0;
        l->gain[t % o->window] = gain;
        if (l->n_trees >= o->window) {
            for (size_t k = 1; k <= o->window; k++) sum += l->gain[(t + k) % o->window]; /* oldest first */
            if (sum < 0) return 1;
        }
    }
    return l->n_trees >= o->max_trees;
}

/* ---- many targets ---- */

typedef struct {
    const grn_boost_opt_t *opt;
    const grn_boost_space_t *space;
    const grn_boost_target_t *target;
    size_t n_targets, batch;
    grn_boost_fn fn;
    void *ctx;
    grn_tree_fn tree;
    grn_tree_blocks_t blocks;
} many_t;

typedef struct {
    const many_t *m;
    int worker;
    grn_draw_t draw;
    grn_tree_in_t in;
    grn_tree_lanes_t *group; /* (n_groups) */
    size_t n_groups, n_lanes;
    lane_t *lane;       /* (n_groups, GRN_TREE_LANES) */
    int32_t *r, *alone; /* of all groups; (n) of a lane */
    uint16_t *mark;
    void *part;
    uint32_t *out; /* (TREES_AT_ONCE, n_out) */
    double *gain, *importance;
} batch_t;

static void batch_clear(batch_t *b)
{
    grn_draw_clear(&b->draw);
    free(b->group);
    free(b->lane);
    free(b->r);
    free(b->alone);
    free(b->mark);
    free(b->part);
    free(b->out);
    free(b->gain);
    free(b->importance);
}

/* Targets [begin, end) that are not constant, one to a lane; the others are done. */
static grn_status fill_lanes(batch_t *b, size_t begin, size_t end)
{
    grn_status rc = GRN_OK;
    size_t n = b->in.bins->n, p = b->in.p;
    for (size_t t = begin; t < end; t++) {
        const grn_boost_target_t *target = &b->m->target[t];
        size_t k = b->n_lanes, g = k / GRN_TREE_LANES, i = k % GRN_TREE_LANES;
        units_t u;
        int varies;
        GRN_TRY(fill_residuals(&target->y, b->group[g].r + i, GRN_TREE_LANES, &u, &varies));
        if (!varies || (p == 1 && target->self == 0)) {
            GRN_TRY(b->m->fn(b->m->ctx, t, 0, b->importance, b->worker)); /* still all 0 */
            continue;
        }
        b->lane[k].target = t;
        b->group[g].live[i] = 1;
        b->group[g].self[i] = target->self;
        b->n_lanes++;
    }
    for (size_t k = b->n_lanes; k % GRN_TREE_LANES; k++) {
        int32_t *r = b->group[k / GRN_TREE_LANES].r + k % GRN_TREE_LANES;
        for (size_t i = 0; i < n; i++) r[i * GRN_TREE_LANES] = 0;
    }
end:
    return rc;
}

static grn_status batch_init(batch_t *b, size_t begin, size_t end)
{
    grn_status rc = GRN_OK;
    const grn_boost_opt_t *o = b->m->opt;
    const grn_boost_space_t *s = b->m->space;
    size_t n = s->bins->n, lanes = GRN_TREE_LANES, window = o->window ? o->window : 1;
    b->n_groups = (end - begin + lanes - 1) / lanes;
    GRN_TRY(grn_draw_init(&b->draw, o->seed, n, s->cell_key, s->p, s->name_key, o->predictors, o->subsample));
    b->in = (grn_tree_in_t){ .bins = s->bins,
                             .blocks = &b->m->blocks,
                             .column = s->column,
                             .p = s->p,
                             .m = b->draw.m,
                             .order = b->draw.order,
                             .n_out = b->draw.n_out,
                             .rate = o->rate };
    GRN_TRY(GRN_NEW(b->group, b->n_groups));
    GRN_TRY(GRN_NEW(b->lane, b->n_groups * lanes));
    GRN_TRY(GRN_NEW_RAW(b->out, TREES_AT_ONCE * b->draw.n_out));
    GRN_TRY(GRN_NEW(b->gain, b->n_groups * lanes * window));
    GRN_TRY(GRN_NEW(b->importance, b->n_groups * lanes * s->p));
    GRN_TRY(GRN_NEW_LARGE(b->r, b->n_groups * lanes * n));
    GRN_TRY(GRN_NEW_RAW(b->alone, n));
    GRN_TRY(GRN_NEW(b->mark, 4 * n));
    if (!(b->part = grn_malloc_large(1, grn_tree_part_bytes(&b->m->blocks)))) GRN_FAIL(GRN_ENOMEM, "out of memory");
    for (size_t g = 0; g < b->n_groups; g++) {
        grn_tree_lanes_t *l = &b->group[g];
        l->r = b->r + g * lanes * n;
        l->mark = b->mark;
        l->part = b->part;
        for (size_t i = 0; i < lanes; i++) {
            lane_t *a = &b->lane[g * lanes + i];
            a->gain = b->gain + (g * lanes + i) * window;
            l->importance[i] = a->importance = b->importance + (g * lanes + i) * s->p;
            l->self[i] = GRN_TREE_NOBODY;
        }
    }
    GRN_TRY(fill_lanes(b, begin, end));
end:
    return rc;
}

static grn_status finish_lane(batch_t *b, lane_t *l)
{
    to_shares(l->importance, b->in.p);
    return b->m->fn(b->m->ctx, l->target, l->n_trees, l->importance, b->worker);
}

/* Trees [first, first + TREES_AT_ONCE) of one lane. */
static grn_status grow_alone(batch_t *b, size_t g, size_t i, size_t first)
{
    size_t n = b->in.bins->n;
    grn_tree_lanes_t *l = &b->group[g];
    grn_tree_lanes_t one = { .r = b->alone, .live = { 1 }, .self = { l->self[i] }, .importance = { l->importance[i] } };
    lane_t *a = &b->lane[g * GRN_TREE_LANES + i];
    for (size_t k = 0; k < n; k++) b->alone[k] = l->r[k * GRN_TREE_LANES + i];
    for (size_t t = first; t < first + TREES_AT_ONCE; t++) {
        grn_draw_predictors(&b->draw, t, &b->in.start);
        b->in.out = b->out + (t - first) * b->in.n_out;
        grn_tree_one(&b->in, &one);
        if (!is_done(b->m->opt, a, one.gain[0])) continue;
        l->live[i] = 0;
        return finish_lane(b, a);
    }
    for (size_t k = 0; k < n; k++) l->r[k * GRN_TREE_LANES + i] = b->alone[k];
    return GRN_OK;
}

/* Trees [first, first + TREES_AT_ONCE) of one group. */
static grn_status grow_group(batch_t *b, size_t g, size_t first)
{
    grn_status rc = GRN_OK;
    grn_tree_lanes_t *l = &b->group[g];
    int n_live = 0;
    for (size_t i = 0; i < GRN_TREE_LANES; i++) n_live += l->live[i];
    if (n_live <= ALONE) {
        for (size_t i = 0; i < GRN_TREE_LANES; i++)
            if (l->live[i]) GRN_TRY(grow_alone(b, g, i, first));
        return GRN_OK;
    }
    for (size_t t = first; t < first + TREES_AT_ONCE; t++) {
        int left = 0;
        grn_draw_predictors(&b->draw, t, &b->in.start);
        b->in.out = b->out + (t - first) * b->in.n_out;
        b->m->tree(&b->in, l);
        for (size_t i = 0; i < GRN_TREE_LANES; i++) {
            lane_t *a = &b->lane[g * GRN_TREE_LANES + i];
            if (!l->live[i]) continue;
            left = 1;
            if (!is_done(b->m->opt, a, l->gain[i])) continue;
            l->live[i] = 0;
            GRN_TRY(finish_lane(b, a));
        }
        if (!left) break;
    }
end:
    return rc;
}

static uint8_t *live_at(batch_t *b, size_t k)
{
    return &b->group[k / GRN_TREE_LANES].live[k % GRN_TREE_LANES];
}

/* Lane `from` takes the place of lane `to`, which is done. */
static void move_lane(batch_t *b, size_t from, size_t to)
{
    grn_tree_lanes_t *x = &b->group[from / GRN_TREE_LANES], *y = &b->group[to / GRN_TREE_LANES];
    size_t i = from % GRN_TREE_LANES, j = to % GRN_TREE_LANES;
    lane_t done = b->lane[to];
    for (size_t k = 0; k < b->in.bins->n; k++) y->r[k * GRN_TREE_LANES + j] = x->r[k * GRN_TREE_LANES + i];
    b->lane[to] = b->lane[from];
    b->lane[from] = done;
    y->self[j] = x->self[i];
    y->importance[j] = b->lane[to].importance;
    x->importance[i] = done.importance;
    y->live[j] = 1;
    x->live[i] = 0;
}

/* Leaves no gaps between lanes that go on. */
static void close_ranks(batch_t *b)
{
    size_t i = 0, j = b->n_lanes;
    for (;;) {
        while (i < j && *live_at(b, i)) i++;
        while (j > i && !*live_at(b, j - 1)) j--;
        if (i >= j) break;
        move_lane(b, --j, i++);
    }
    b->n_lanes = i;
}

static grn_status run_batch(batch_t *b)
{
    grn_status rc = GRN_OK;
    for (size_t first = 0; b->n_lanes; first += TREES_AT_ONCE) {
        for (size_t t = 0; t < TREES_AT_ONCE && b->in.n_out; t++) grn_draw_out_of_bag(&b->draw, first + t, b->out + t * b->in.n_out);
        for (size_t g = 0; g * GRN_TREE_LANES < b->n_lanes; g++) GRN_TRY(grow_group(b, g, first));
        close_ranks(b);
    }
end:
    return rc;
}

static grn_status many_work(void *ctx, size_t begin, size_t end, int worker)
{
    const many_t *m = ctx;
    for (size_t k = begin; k < end; k++) {
        batch_t b = { .m = m, .worker = worker };
        size_t first = k * m->batch, last = first + m->batch < m->n_targets ? first + m->batch : m->n_targets;
        grn_status rc = batch_init(&b, first, last);
        if (!rc) rc = run_batch(&b);
        batch_clear(&b);
        if (rc) return rc;
    }
    return GRN_OK;
}

/* Targets of a batch: many, so that few lanes idle at its end, but enough batches for all of several workers. */
static size_t batch_size(size_t n, size_t n_targets, int n_workers)
{
    size_t by_worker = n_workers > 1 ? n_targets / (4 * (size_t)n_workers) : n_targets + GRN_TREE_LANES - 1,
           by_memory = BATCH_BYTES / (4 * n), size = BATCH_TARGETS;
    if (by_worker < size) size = by_worker;
    if (by_memory < size) size = by_memory;
    size -= size % GRN_TREE_LANES;
    return size ? size : GRN_TREE_LANES;
}

grn_status grn_boost_many(const grn_boost_opt_t *opt, const grn_boost_space_t *space, const grn_boost_target_t *target,
                          size_t n_targets, grn_par_t *pool, grn_boost_fn fn, void *ctx)
{
    grn_status rc = check(space);
    if (rc) return rc;
    size_t batch = batch_size(space->bins->n, n_targets, grn_par_n(pool));
    many_t m = { opt, space, target, n_targets, batch, fn, ctx, grn_tree_lanes(), { 0 } };
    GRN_TRY(grn_tree_blocks_init(&m.blocks, space->bins, 0));
    GRN_TRY(grn_par_for(pool, (n_targets + batch - 1) / batch, 1, many_work, &m));
end:
    grn_tree_blocks_clear(&m.blocks);
    return rc;
}

/* ---- one target ---- */

struct grn_boost_scratch_s {
    void *r;
    size_t r_cap;
    uint32_t *out;
    size_t out_cap;
    double *gain;
    size_t gain_cap;
};

grn_status grn_boost_scratch_create(grn_boost_scratch_t **s)
{
    return GRN_NEW(*s, 1);
}

void grn_boost_scratch_destroy(grn_boost_scratch_t *s)
{
    if (!s) return;
    free(s->r);
    free(s->out);
    free(s->gain);
    free(s);
}

void grn_boost_model_clear(grn_boost_model_t *m)
{
    free(m->tree);
    memset(m, 0, sizeof *m);
}

static grn_status keep_tree(grn_boost_model_t *m, const grn_tree_lanes_t *l, const units_t *u)
{
    grn_status rc = GRN_GROW(m->tree, m->cap, m->n + 1);
    if (rc) return rc;
    grn_boost_tree_t *t = &m->tree[m->n++];
    memcpy(t->split, l->split[0], sizeof t->split);
    for (int k = 0; k < GRN_TREE_LEAVES; k++) t->step[k] = ldexp(l->step[0][k], -u->scale);
    return GRN_OK;
}

double grn_boost_predict(const grn_boost_model_t *m, grn_boost_value_fn value, const void *ctx)
{
    double sum = 0;
    for (size_t t = 0; t < m->n; t++) {
        unsigned slot = 0;
        for (int level = 0; level < 3; level++) {
            const grn_tree_split_t *s = &m->tree[t].split[(1u << level) - 1 + slot];
            if (s->predictor == GRN_TREE_NOBODY) continue;
            if ((value(ctx, s->predictor) > s->threshold) == s->above) slot += 1u << level;
        }
        sum += m->tree[t].step[slot];
    }
    return m->mean + sum;
}

grn_status grn_boost_one(const grn_boost_opt_t *opt, const grn_boost_space_t *space, const grn_boost_target_t *target,
                         grn_boost_scratch_t *s, double *importance, size_t *n_trees, grn_boost_model_t *model)
{
    grn_status rc = check(space);
    size_t n = space->bins->n;
    grn_draw_t draw = { 0 };
    units_t u;
    int varies;
    lane_t lane = { .importance = importance };
    *n_trees = 0;
    if (model) model->n = 0;
    if (rc) return rc;
    memset(importance, 0, space->p * sizeof *importance);
    GRN_TRY(grn_room_aligned(&s->r, &s->r_cap, n * sizeof(int32_t)));
    GRN_TRY(GRN_GROW(s->gain, s->gain_cap, opt->window + 1));
    GRN_TRY(fill_residuals(&target->y, s->r, 1, &u, &varies));
    if (model) model->mean = u.mean;
    if (!varies || (space->p == 1 && target->self == 0)) goto end;
    GRN_TRY(grn_draw_init(&draw, opt->seed, n, space->cell_key, space->p, space->name_key, opt->predictors, opt->subsample));
    GRN_TRY(GRN_GROW(s->out, s->out_cap, draw.n_out + 1));
    grn_tree_in_t in = { .bins = space->bins,
                         .column = space->column,
                         .p = space->p,
                         .m = draw.m,
                         .order = draw.order,
                         .out = s->out,
                         .n_out = draw.n_out,
                         .rate = opt->rate };
    grn_tree_lanes_t l = { .r = s->r, .live = { 1 }, .self = { target->self }, .importance = { importance } };
    lane.gain = s->gain;
    do {
        grn_draw_predictors(&draw, lane.n_trees, &in.start);
        if (in.n_out) grn_draw_out_of_bag(&draw, lane.n_trees, s->out);
        grn_tree_one(&in, &l);
        if (model) GRN_TRY(keep_tree(model, &l, &u));
    } while (!is_done(opt, &lane, l.gain[0]));
    *n_trees = lane.n_trees;
    to_shares(importance, space->p);
end:
    grn_draw_clear(&draw);
    return rc;
}
