#include "holdout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"

typedef struct { /* cells held out, and the rest of the reference without them */
    const grn_attr_t *type;
    const inherit_t *bits;
    const holdout_opt_t *o;
    size_t n_types, d;
    uint32_t *held, *rest; /* reference cells, ascending */
    size_t n_held, n_rest;
    float *x_held, *x_rest; /* (n_held, d), (n_rest, d) */
    double *centroid;       /* (types, d) of the rest, scaled as the metric compares */
    uint64_t *size;         /* (types) labelled cells of the rest */
    uint64_t *on;           /* (types, regulons) cells of the rest where it is on */
    uint64_t *n_bits;       /* (types) cells of the rest with bits */
    uint32_t *id;           /* (n_held, k) reference cells */
    double *distance;
    double *weight, *tally, *share; /* (k), (types), (regulons) */
} fold_t;

void holdout_clear(holdout_t *h)
{
    free(h->cell);
    free(h->stranger);
    free(h->regulon);
    memset(h, 0, sizeof *h);
}

static void fold_clear(fold_t *f)
{
    free(f->held);
    free(f->rest);
    free(f->x_held);
    free(f->x_rest);
    free(f->centroid);
    free(f->size);
    free(f->on);
    free(f->n_bits);
    free(f->id);
    free(f->distance);
    free(f->weight);
    free(f->tally);
    free(f->share);
}

/* ---- folds ---- */

typedef struct {
    uint64_t key;
    uint32_t i;
} dealt_t;

static int by_key(const void *a, const void *b)
{
    const dealt_t *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return x->i < y->i ? -1 : x->i > y->i;
}

static int has_cells(const grn_attr_t *donor, size_t n_cells, int32_t which)
{
    for (size_t c = 0; c < n_cells; c++)
        if (donor->code[c] == which) return 1;
    return 0;
}

size_t holdout_donors(const grn_attr_t *donor, size_t n_cells)
{
    size_t n = 0;
    for (size_t i = 0; donor && donor->code && i < donor->levels.n; i++) n += (size_t)has_cells(donor, n_cells, (int32_t)i);
    return n;
}

/* Cells of a donor go into one fold, donors in the order of their keys. */
static grn_status deal_donors(const grn_attr_t *donor, size_t n_cells, uint64_t seed, uint32_t n_folds, uint32_t *fold)
{
    grn_status rc = GRN_OK;
    dealt_t *d = NULL;
    uint32_t *of_donor = NULL, n = 0, n_levels = (uint32_t)donor->levels.n;
    GRN_TRY(GRN_NEW(d, n_levels));
    GRN_TRY(GRN_NEW(of_donor, n_levels));
    for (uint32_t i = 0; i < n_levels; i++)
        if (has_cells(donor, n_cells, (int32_t)i))
            d[n++] = (dealt_t){ grn_rng_key(seed, "map.donor", grn_hash_str(grn_names_get(&donor->levels, i)), 0), i };
    qsort(d, n, sizeof *d, by_key);
    for (uint32_t i = 0; i < n; i++) of_donor[d[i].i] = i % n_folds;
    for (size_t c = 0; c < n_cells; c++)
        if (donor->code[c] >= 0) fold[c] = of_donor[donor->code[c]];
end:
    free(d);
    free(of_donor);
    return rc;
}

/* fold[cell]: folds of cells are made small enough that one of them is about `enough` cells. */
static grn_status deal(const points_t *r, const grn_attr_t *donor, const holdout_opt_t *o, uint32_t *n_folds, uint32_t *fold)
{
    size_t n = donor ? holdout_donors(donor, r->n) : r->n / o->enough;
    if (donor && n < 2)
        return grn_err(GRN_EINVAL, "the reference has %zu donors; 2 or more are needed to hold donors out (--hold-out cell)", n);
    *n_folds = donor ? (n < o->folds ? (uint32_t)n : o->folds) : (n > o->folds ? (uint32_t)n : o->folds);
    for (size_t c = 0; c < r->n; c++)
        fold[c] = (uint32_t)(grn_rng_key(o->seed, "map.cell", grn_hash_str(grn_names_get(&r->name, c)), 0) % *n_folds);
    return donor ? deal_donors(donor, r->n, o->seed, *n_folds, fold) : GRN_OK;
}

/* f->held and f->rest are there; fills the rest of f. */
static grn_status fold_open(fold_t *f, const space_t *s, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    const size_t R = f->bits ? f->bits->a.n_regulons : 0;
    f->n_types = f->type->levels.n;
    GRN_TRY(space_split(s, f->rest, f->n_rest, f->held, f->n_held, pool, &f->x_rest, &f->x_held, &f->d));
    GRN_TRY(GRN_NEW(f->centroid, f->n_types * f->d));
    GRN_TRY(GRN_NEW(f->size, f->n_types));
    GRN_TRY(GRN_NEW(f->on, f->n_types * R));
    GRN_TRY(GRN_NEW(f->n_bits, f->n_types));
    GRN_TRY(GRN_NEW_RAW(f->id, f->n_held * f->o->k));
    GRN_TRY(GRN_NEW_RAW(f->distance, f->n_held * f->o->k));
    GRN_TRY(GRN_NEW(f->weight, f->o->k));
    GRN_TRY(GRN_NEW(f->tally, f->n_types));
    GRN_TRY(GRN_NEW(f->share, R));
end:
    return rc;
}

/* ---- what the rest knows without neighbours ---- */

static double scale_of(const fold_t *f, const float *x)
{
    double s = 0;
    if (f->o->metric == KNN_EUCLIDEAN) return 1;
    for (size_t j = 0; j < f->d; j++) s += (double)x[j] * x[j];
    return s > 0 ? 1 / sqrt(s) : 0;
}

/* Centroids (of directions, for the cosine), sizes, and how many cells of each type have each regulon on. */
static void summarise(fold_t *f)
{
    const size_t d = f->d;
    for (size_t i = 0; i < f->n_rest; i++) {
        int32_t t = f->type->code[f->rest[i]];
        if (t < 0) continue;
        const float *x = f->x_rest + i * d;
        double scale = scale_of(f, x);
        f->size[t]++;
        for (size_t j = 0; j < d; j++) f->centroid[(size_t)t * d + j] += x[j] * scale;
        uint32_t row = f->bits ? f->bits->row[f->rest[i]] : KNN_NONE;
        if (row == KNN_NONE) continue;
        f->n_bits[t]++;
        for (uint64_t r = 0; r < f->bits->a.n_regulons; r++)
            f->on[(size_t)t * f->bits->a.n_regulons + r] += (uint64_t)grn_activity_get(&f->bits->a, row, r);
    }
    for (size_t t = 0; t < f->n_types; t++)
        for (size_t j = 0; j < d; j++) f->centroid[t * d + j] /= f->size[t] ? (double)f->size[t] : 1;
}

/* Squared distance to a centroid; cosine: what grows with it, minus the projection on the centroid's direction. */
static double from_centroid(const fold_t *f, const float *x, double scale, size_t t)
{
    const double *c = f->centroid + t * f->d;
    double dot = 0, length = 0, square = 0;
    for (size_t j = 0; j < f->d; j++) {
        double e = x[j] * scale - c[j];
        square += e * e;
        dot += x[j] * scale * c[j];
        length += c[j] * c[j];
    }
    return f->o->metric == KNN_EUCLIDEAN ? square : length > 0 ? -dot / sqrt(length) : INFINITY;
}

static int32_t nearest_centroid(const fold_t *f, const float *x)
{
    int32_t best = -1;
    double least = INFINITY, scale = scale_of(f, x);
    for (size_t t = 0; t < f->n_types; t++) {
        if (!f->size[t]) continue;
        double e = from_centroid(f, x, scale, t);
        if (best < 0 || e < least) {
            least = e;
            best = (int32_t)t;
        }
    }
    return best;
}

static int32_t majority(const fold_t *f)
{
    size_t best = 0;
    for (size_t t = 1; t < f->n_types; t++)
        if (f->size[t] > f->size[best]) best = t;
    return f->size[best] ? (int32_t)best : -1;
}

/* ---- one fold ---- */

static held_t judge(fold_t *f, size_t i)
{
    const uint32_t k = f->o->k, *id = f->id + i * k;
    const double *distance = f->distance + i * k;
    held_t h = { .cell = f->held[i], .truth = f->type->code[f->held[i]] };
    vote_weigh(id, distance, k, f->o->weights, f->weight);
    h.vote = vote_count(id, f->weight, k, f->type->code, f->n_types, f->tally);
    h.distance = vote_mean_distance(id, distance, k);
    h.centroid = nearest_centroid(f, f->x_held + i * f->d);
    h.majority = majority(f);
    return h;
}

/* Inherited bits and those of the type's mean against the cell's own. f->weight is that of judge. */
static void compare_bits(fold_t *f, size_t i, const held_t *c, agreement_t *regulon)
{
    const grn_activity_t *a = &f->bits->a;
    uint32_t row = f->bits->row[c->cell];
    if (row == KNN_NONE || c->vote.best < 0 || !f->n_bits[c->vote.best]) return;
    if (!inherit_shares(f->bits, f->id + i * f->o->k, f->weight, f->o->k, f->share)) return;
    for (uint64_t r = 0; r < a->n_regulons; r++) {
        int truth = grn_activity_get(a, row, r);
        int mean = 2 * f->on[(size_t)c->vote.best * a->n_regulons + r] > f->n_bits[c->vote.best];
        regulon[r].inherited[truth][inherit_is_on(f->share[r])]++;
        regulon[r].type[truth][mean]++;
    }
}

/* Neighbours of the held-out cells among the rest. */
static grn_status fold_map(fold_t *f, grn_par_t *pool)
{
    knn_t *t = NULL;
    grn_status rc = knn_create(&t, f->x_rest, f->n_rest, f->d, f->o->metric);
    if (!rc) rc = knn_search(t, f->x_held, f->n_held, f->o->k, pool, f->id, f->distance);
    for (size_t i = 0; !rc && i < f->n_held * f->o->k; i++)
        if (f->id[i] != KNN_NONE) f->id[i] = f->rest[f->id[i]];
    knn_destroy(t);
    return rc;
}

/* Appends the held-out cells to cell[*n]; regulon: where their bits are compared, or NULL. */
static grn_status fold_run(fold_t *f, const space_t *s, grn_par_t *pool, held_t **cell, size_t *n, size_t *cap, agreement_t *regulon)
{
    grn_status rc = GRN_OK;
    if (f->n_held == 0 || f->n_rest == 0) return GRN_OK;
    GRN_TRY(fold_open(f, s, pool));
    GRN_TRY(fold_map(f, pool));
    summarise(f);
    GRN_TRY(GRN_GROW(*cell, *cap, *n + f->n_held));
    for (size_t i = 0; i < f->n_held; i++) {
        if (f->type->code[f->held[i]] < 0) continue;
        held_t *e = *cell + *n;
        *e = judge(f, i);
        if (regulon) compare_bits(f, i, e, regulon);
        *n += e->vote.best >= 0;
    }
end:
    return rc;
}

static grn_status fold_init(fold_t *f, const grn_attr_t *type, const inherit_t *bits, const holdout_opt_t *o, size_t n_cells)
{
    grn_status rc = GRN_OK;
    *f = (fold_t){ .type = type, .bits = bits, .o = o };
    GRN_TRY(GRN_NEW_RAW(f->held, n_cells));
    GRN_TRY(GRN_NEW_RAW(f->rest, n_cells));
end:
    return rc;
}

/* The n cells of `cell` become at most `most` of them, those with the least keys, ascending. */
static grn_status draw(const grn_names_t *name, uint64_t seed, uint32_t *cell, size_t *n, size_t most)
{
    grn_status rc = GRN_OK;
    dealt_t *d = NULL;
    size_t kept = 0;
    if (*n <= most) return GRN_OK;
    GRN_TRY(GRN_NEW(d, *n));
    for (size_t i = 0; i < *n; i++)
        d[i] = (dealt_t){ grn_rng_key(seed, "map.draw", grn_hash_str(grn_names_get(name, cell[i])), 0), (uint32_t)i };
    qsort(d, *n, sizeof *d, by_key);
    uint64_t last = d[most - 1].key;
    for (size_t i = 0; i < *n && kept < most; i++)
        if (grn_rng_key(seed, "map.draw", grn_hash_str(grn_names_get(name, cell[i])), 0) <= last) cell[kept++] = cell[i];
    *n = kept;
end:
    free(d);
    return rc;
}

static grn_status strangers(const space_t *s, const grn_attr_t *type, const holdout_opt_t *o, grn_par_t *pool, holdout_t *h)
{
    grn_status rc = GRN_OK;
    const points_t *r = &s->reference;
    const size_t T = type->levels.n, most = o->enough / T > 100 ? o->enough / T : 100;
    fold_t f = { 0 };
    for (size_t t = 0; t < T; t++) {
        GRN_TRY(fold_init(&f, type, NULL, o, r->n));
        for (uint32_t c = 0; c < r->n; c++)
            if (type->code[c] == (int32_t)t) f.held[f.n_held++] = c;
            else f.rest[f.n_rest++] = c;
        GRN_TRY(draw(&r->name, o->seed, f.held, &f.n_held, most));
        GRN_TRY(fold_run(&f, s, pool, &h->stranger, &h->n_strangers, &h->cap_strangers, NULL));
        fold_clear(&f);
        f = (fold_t){ 0 };
    }
end:
    fold_clear(&f);
    return rc;
}

static int by_cell(const void *a, const void *b)
{
    const held_t *x = a, *y = b;
    return x->cell < y->cell ? -1 : x->cell > y->cell;
}

static grn_status folds(const space_t *s, const grn_attr_t *type, const grn_attr_t *donor, const inherit_t *bits,
                        const holdout_opt_t *o, grn_par_t *pool, holdout_t *h)
{
    grn_status rc = GRN_OK;
    const points_t *r = &s->reference;
    uint32_t *fold = NULL, n_folds = 1;
    fold_t f = { 0 };
    GRN_TRY(GRN_NEW_RAW(fold, r->n));
    GRN_TRY(deal(r, o->by_donor ? donor : NULL, o, &n_folds, fold));
    const size_t quota = o->by_donor ? (o->enough + n_folds - 1) / n_folds : r->n;
    for (uint32_t k = 0; k < n_folds && (o->by_donor || h->n_held < o->enough); k++) {
        GRN_TRY(fold_init(&f, type, bits, o, r->n));
        for (uint32_t c = 0; c < r->n; c++)
            if (fold[c] == k) f.held[f.n_held++] = c;
            else f.rest[f.n_rest++] = c;
        GRN_TRY(draw(&r->name, o->seed, f.held, &f.n_held, quota));
        GRN_TRY(fold_run(&f, s, pool, &h->cell, &h->n, &h->cap, h->regulon));
        h->n_held += f.n_held;
        h->n_folds++;
        fold_clear(&f);
        f = (fold_t){ 0 };
    }
    qsort(h->cell, h->n, sizeof *h->cell, by_cell);
end:
    fold_clear(&f);
    free(fold);
    return rc;
}

grn_status holdout_run(const space_t *s, const grn_attr_t *type, const grn_attr_t *donor, const inherit_t *bits, const holdout_opt_t *o,
                       grn_par_t *pool, holdout_t *h)
{
    grn_status rc = GRN_OK;
    memset(h, 0, sizeof *h);
    h->n_donors = o->by_donor ? holdout_donors(donor, s->reference.n) : 0;
    if (bits) GRN_TRY(GRN_NEW(h->regulon, bits->a.n_regulons));
    GRN_TRY(folds(s, type, donor, bits, o, pool, h));
    if (o->leave_out_types) GRN_TRY(strangers(s, type, o, pool, h));
end:
    if (rc) holdout_clear(h);
    return rc;
}
