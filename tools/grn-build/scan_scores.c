#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "cbust.h"
#include "io/matrix.h"
#include "parts.h"
#include "scan.h"
#include "sites.h"

#define BLOCK_BYTES ((uint64_t)256 << 20) /* scores held at a time, unless --max-mem says less */

typedef struct { /* a row: codes of `lead` bases in front of the scored ones, those, and `tail` behind */
    uint64_t off;
    uint32_t lead, len, tail;
    int is_flat;       /* one background for all of it: */
    uint32_t count[4]; /* A C G T of the region with its padding */
} row_t;

typedef struct {
    grn_seqlanes_t lanes;
    grn_cbust_work_t *work;
    double *ratio; /* of a batch */
    size_t ratio_cap;
    grn_sites_t sites;
    int32_t *best;
} worker_t;

typedef struct {
    const grn_scan_t *o;
    size_t first, n; /* motifs of this shard */
    uint8_t *code;
    size_t code_cap;
    row_t *row; /* (n_row) */
    size_t n_row;
    uint32_t *order; /* (n_row) by length, so that lanes are alike */
    uint64_t n_short;
    uint32_t max_w;
    uint64_t sequence_hash;
    worker_t *worker;
    /* the block: motifs [b0, b0 + bn) */
    size_t b0, bn;
    float *score; /* (bn, n_row) */
    size_t score_cap;
    grn_cbust_t *model; /* (bn) */
    size_t *by_width;   /* (bn) */
    grn_pwm_t *pwm;     /* of the block's matrices */
    size_t n_pwm;
    grn_scanner_t *scanner;
} scores_t;

/* ---- sequences ---- */

/* Row i of the FASTA: [from, to) with its padding, [start, end) scored. 0: nothing to score. */
static int extent(const grn_scan_t *o, size_t i, size_t *seq, uint64_t *from, uint64_t *start, uint64_t *end, uint64_t *to)
{
    if (!grn_scanseq_place(&o->seq, i, seq, start, end)) return 0;
    uint64_t len = grn_fasta_len(o->seq.fa, *seq), pad = o->padding;
    if (o->seq.regions.n) { /* padding lies beside the region */
        *from = *start > pad ? *start - pad : 0;
        *to = len - *end > pad ? *end + pad : len;
        return 1;
    }
    *from = 0; /* whole sequences bring their padding with them */
    *to = len;
    if (len <= 2 * pad) return 0;
    *start = pad;
    *end = len - pad;
    return 1;
}

static grn_status load_row(scores_t *s, size_t i, size_t *n_code)
{
    grn_status rc = GRN_OK;
    row_t *r = &s->row[i];
    size_t seq;
    uint64_t from, start, end, to, keep, count[5] = { 0 };
    r->off = *n_code;
    if (!extent(s->o, i, &seq, &from, &start, &end, &to)) return GRN_OK;
    if (to - from > UINT32_MAX) GRN_FAIL(GRN_EUNSUP, "'%s' is longer than 4,294,967,295 bases", grn_scanseq_name(&s->o->seq, i));
    GRN_TRY(GRN_GROW(s->code, s->code_cap, *n_code + (to - from)));
    uint8_t *code = s->code + *n_code;
    GRN_TRY(grn_fasta_fetch(s->o->seq.fa, seq, from, to, s->o->seq.mask, code));
    r->is_flat = s->o->range >= to - from;
    for (uint64_t k = 0; k < to - from; k++) count[code[k]]++;
    for (int b = 0; b < 4; b++) r->count[b] = (uint32_t)count[b];
    keep = start - from;
    if (r->is_flat && keep > s->max_w - 1) keep = s->max_w - 1;
    memmove(code, code + (start - from - keep), (size_t)(to - start + keep));
    r->lead = (uint32_t)keep;
    r->len = (uint32_t)(end - start);
    r->tail = r->is_flat ? 0 : (uint32_t)(to - end);
    *n_code += r->lead + (size_t)r->len + r->tail;
end:
    return rc;
}

static int by_length(const void *a, const void *b, void *ctx)
{
    const row_t *row = ctx;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    if (row[i].len != row[j].len) return row[i].len < row[j].len ? -1 : 1;
    return i < j ? -1 : i > j;
}

static grn_status load_sequences(scores_t *s)
{
    grn_status rc = GRN_OK;
    size_t n_code = 0, n_empty = 0;
    s->n_row = s->o->seq.n;
    for (size_t m = 0; m < s->o->motifs.n_motif; m++)
        s->max_w = s->o->motifs.motif[m].w > s->max_w ? s->o->motifs.motif[m].w : s->max_w;
    GRN_TRY(GRN_NEW(s->row, s->n_row));
    GRN_TRY(GRN_NEW_RAW(s->order, s->n_row));
    for (size_t i = 0; i < s->n_row; i++) {
        GRN_TRY(load_row(s, i, &n_code));
        s->order[i] = (uint32_t)i;
        n_empty += !s->row[i].len;
    }
    if (n_empty) grn_log_warn("regions: %zu have no sequence (or none beside --padding) and get scores of 0", n_empty);
    qsort_r(s->order, s->n_row, sizeof *s->order, by_length, s->row);
    s->sequence_hash = grn_hash(s->code, n_code);
end:
    return rc;
}

/* ratio[i] = 1 / (4 b): b from the bases within --range, one of each kind added (Cluster-Buster). */
static void local_ratios(const scores_t *s, const row_t *r, double *ratio)
{
    const uint8_t *code = s->code + r->off;
    size_t n = (size_t)r->lead + r->len, all = n + r->tail, range = s->o->range < all ? (size_t)s->o->range : all, lo = 0, hi = 0;
    double count[5] = { 0 }, total = 4;
    if (r->is_flat) {
        for (int b = 0; b < 4; b++) total += count[b] = r->count[b];
        for (size_t i = 0; i < n; i++) ratio[i] = code[i] < 4 ? total / (4 * (count[code[i]] + 1)) : 0;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        for (; hi < all && hi <= i + range; hi++) {
            count[code[hi]]++;
            total += code[hi] < 4;
        }
        for (; i > range && lo < i - range; lo++) {
            count[code[lo]]--;
            total -= code[lo] < 4;
        }
        ratio[i] = code[i] < 4 ? total / (4 * (count[code[i]] + 1)) : 0;
    }
}

/* ---- a block of motifs ---- */

static grn_status set_lanes(scores_t *s, worker_t *w, size_t batch, size_t *n)
{
    grn_status rc = GRN_OK;
    grn_seqlane_t lane[GRN_LANES];
    const uint32_t *at = s->order + batch * GRN_LANES;
    size_t need = 0;
    *n = s->n_row - batch * GRN_LANES < GRN_LANES ? s->n_row - batch * GRN_LANES : GRN_LANES;
    for (size_t l = 0; l < *n; l++) need += (size_t)s->row[at[l]].lead + s->row[at[l]].len;
    GRN_TRY(GRN_GROW(w->ratio, w->ratio_cap, need + 1));
    double *ratio = w->ratio;
    for (size_t l = 0; l < *n; l++) {
        const row_t *r = &s->row[at[l]];
        local_ratios(s, r, ratio);
        lane[l] = (grn_seqlane_t){ s->code + r->off, ratio, r->lead, r->len };
        ratio += (size_t)r->lead + r->len;
    }
    GRN_TRY(grn_seqlanes_set(&w->lanes, lane, *n, s->max_w - 1));
end:
    return rc;
}

static grn_status lanes_work(void *ctx, size_t begin, size_t end, int worker)
{
    scores_t *s = ctx;
    worker_t *w = &s->worker[worker];
    grn_status rc = GRN_OK;
    for (size_t batch = begin; batch < end; batch++) {
        size_t n;
        GRN_TRY(set_lanes(s, w, batch, &n));
        for (size_t k = 0; k < s->bn; k++) {
            size_t m = s->by_width[k];
            float out[GRN_LANES];
            if (s->o->scorer == GRN_SCORER_CBUST) GRN_TRY(grn_cbust_score(&s->model[m], &w->lanes, w->work, out));
            else GRN_TRY(grn_cbust_occupancy(&s->model[m], &w->lanes, w->work, out));
            for (size_t l = 0; l < n; l++) s->score[m * s->n_row + s->order[batch * GRN_LANES + l]] = out[l];
        }
    }
end:
    return rc;
}

static float value_of_best(const scores_t *s, size_t matrix, int32_t score)
{
    if (s->o->log10p) return score == INT32_MIN ? 0 : (float)-log10(grn_pwm_pvalue(&s->pwm[matrix], score));
    return score > 0 ? grn_pwm_bits(score) : 0;
}

static grn_status best_work(void *ctx, size_t begin, size_t end, int worker)
{
    scores_t *s = ctx;
    worker_t *w = &s->worker[worker];
    grn_status rc = GRN_OK;
    const size_t *first = s->o->motifs.first;
    for (size_t i = begin; i < end; i++) {
        const row_t *r = &s->row[i];
        GRN_TRY(grn_scanner_best(s->scanner, s->code + r->off + r->lead, r->len, &w->sites, w->best));
        for (size_t m = 0; m < s->bn; m++) {
            float best = 0;
            for (size_t k = first[s->b0 + m]; k < first[s->b0 + m + 1]; k++) {
                float v = value_of_best(s, k - first[s->b0], w->best[k - first[s->b0]]);
                best = v > best ? v : best;
            }
            s->score[m * s->n_row + i] = best;
        }
    }
end:
    return rc;
}

static void clear_block(scores_t *s)
{
    for (size_t i = 0; s->model && i < s->bn; i++) grn_cbust_clear(&s->model[i]);
    for (size_t i = 0; s->pwm && i < s->n_pwm; i++) grn_pwm_clear(&s->pwm[i]);
    free(s->model);
    free(s->by_width);
    free(s->pwm);
    s->model = NULL;
    s->by_width = NULL;
    s->pwm = NULL;
    grn_scanner_destroy(s->scanner);
    s->scanner = NULL;
}

static int by_width(const void *a, const void *b, void *ctx)
{
    const grn_cbust_t *m = ctx;
    size_t i = *(const size_t *)a, j = *(const size_t *)b;
    if (m[i].max_w != m[j].max_w) return m[i].max_w < m[j].max_w ? -1 : 1;
    return i < j ? -1 : i > j;
}

static grn_status make_models(scores_t *s)
{
    grn_status rc = GRN_OK;
    const grn_motifset_t *set = &s->o->motifs;
    GRN_TRY(GRN_NEW(s->model, s->bn));
    GRN_TRY(GRN_NEW_RAW(s->by_width, s->bn));
    for (size_t k = 0; k < s->bn; k++) {
        size_t c = s->b0 + k;
        double gap = isnan(set->gap[c]) ? s->o->gap : set->gap[c];
        GRN_TRY(grn_cbust_init(&s->model[k], set->motif + set->first[c], set->first[c + 1] - set->first[c], gap, s->o->pseudo));
        s->by_width[k] = k;
    }
    qsort_r(s->by_width, s->bn, sizeof *s->by_width, by_width, s->model);
end:
    return rc;
}

static grn_status pwm_work(void *ctx, size_t begin, size_t end, int worker)
{
    scores_t *s = ctx;
    (void)worker;
    for (size_t i = begin; i < end; i++) {
        const grn_motif_t *m = &s->o->motifs.motif[s->o->motifs.first[s->b0] + i];
        grn_status rc = grn_pwm_init(&s->pwm[i], m, s->o->pseudo, s->o->bg, s->o->log10p ? 1 : 0);
        if (rc) return rc;
    }
    return GRN_OK;
}

static grn_status make_pwms(scores_t *s)
{
    grn_status rc = GRN_OK;
    s->n_pwm = s->o->motifs.first[s->b0 + s->bn] - s->o->motifs.first[s->b0];
    GRN_TRY(GRN_NEW(s->pwm, s->n_pwm));
    GRN_TRY(grn_par_for(grn_common.pool, s->n_pwm, 1, pwm_work, s));
    GRN_TRY(grn_scanner_create(&s->scanner, s->pwm, s->n_pwm, s->o->both, GRN_SCAN_BEST, NULL));
    for (int w = 0; w < grn_par_n(grn_common.pool); w++) {
        free(s->worker[w].best);
        GRN_TRY(GRN_NEW_RAW(s->worker[w].best, s->n_pwm));
    }
end:
    return rc;
}

static grn_status score_block(scores_t *s)
{
    grn_status rc = GRN_OK;
    GRN_TRY(GRN_GROW(s->score, s->score_cap, s->bn * s->n_row));
    if (s->o->scorer == GRN_SCORER_MAX) {
        GRN_TRY(make_pwms(s));
        GRN_TRY(grn_par_for(grn_common.pool, s->n_row, 16, best_work, s));
    } else {
        GRN_TRY(make_models(s));
        GRN_TRY(grn_par_for(grn_common.pool, (s->n_row + GRN_LANES - 1) / GRN_LANES, 1, lanes_work, s));
    }
end:
    clear_block(s);
    return rc;
}

/* ---- output ---- */

static grn_status append_block(const scores_t *s, grn_mw_t *w)
{
    grn_status rc = GRN_OK;
    const grn_motifset_t *set = &s->o->motifs;
    grn_matrix_t m = { .n_rows = s->bn, .n_cols = s->n_row, .is_dense = 1 };
    double *width = NULL, *matrices = NULL;
    GRN_TRY(GRN_NEW(width, s->bn));
    GRN_TRY(GRN_NEW(matrices, s->bn));
    for (size_t k = 0; k < s->bn; k++) {
        size_t c = s->b0 + k;
        GRN_TRY(grn_names_add(&m.row, grn_names_get(&set->names, c), NULL, NULL));
        for (size_t i = set->first[c]; i < set->first[c + 1]; i++) width[k] = set->motif[i].w > width[k] ? set->motif[i].w : width[k];
        matrices[k] = (double)(set->first[c + 1] - set->first[c]);
    }
    GRN_TRY(grn_attr_add_num(&m.row_attr, "width", width));
    width = NULL;
    GRN_TRY(grn_attr_add_num(&m.row_attr, "matrices", matrices));
    matrices = NULL;
    m.dense = s->score;
    GRN_TRY(grn_mw_append(w, &m));
end:
    m.dense = NULL;
    free(width);
    free(matrices);
    grn_matrix_clear(&m);
    return rc;
}

static grn_status open_output(const scores_t *s, const char *path, grn_mw_t **w)
{
    grn_status rc = GRN_OK;
    const grn_scan_t *o = s->o;
    char a[32], b[32], c[32], d[32], text[256];
    static const char *const values[] = { "", "cluster score", "best log2-odds score", "expected occupancy" };
    GRN_TRY(grn_mw_open(w, path, grn_scanseq_names(&o->seq), NULL, 1, grn_common.pool));
    GRN_TRY(grn_mw_meta(*w, "values", o->log10p ? "-log10 p of the best score" : values[o->scorer]));
    GRN_TRY(grn_mw_meta(*w, "scorer", o->scorer_name));
    GRN_TRY(grn_mw_meta(*w, "pseudocount", grn_fmt_f64(a, o->pseudo)));
    GRN_TRY(grn_mw_meta(*w, "mask", o->seq.mask ? "lower case" : "none"));
    if (o->scorer == GRN_SCORER_MAX) {
        snprintf(text, sizeof text, "%s,%s,%s,%s", grn_fmt_f64(a, o->bg[0]), grn_fmt_f64(b, o->bg[1]), grn_fmt_f64(c, o->bg[2]),
                 grn_fmt_f64(d, o->bg[3]));
        GRN_TRY(grn_mw_meta(*w, "background", text));
        GRN_TRY(grn_mw_meta(*w, "strand", o->strand));
    } else {
        GRN_TRY(grn_mw_meta(*w, "gap", grn_fmt_f64(a, o->gap)));
        snprintf(text, sizeof text, "%" PRIu64, o->range);
        GRN_TRY(grn_mw_meta(*w, "range", text));
        snprintf(text, sizeof text, "%" PRIu64, o->padding);
        GRN_TRY(grn_mw_meta(*w, "padding", text));
    }
end:
    return rc;
}

/* ---- parts kept for --resume ---- */

/* Of all that the block's scores depend on. */
static uint64_t fingerprint(const scores_t *s)
{
    const grn_scan_t *o = s->o;
    const grn_motifset_t *set = &o->motifs;
    double number[] = { o->scorer, o->both,   o->bg[0], o->bg[1],         o->bg[2],
                        o->pseudo, o->log10p, o->gap,   (double)o->range, (double)o->padding };
    uint64_t h = grn_parts_mix(s->sequence_hash, number, sizeof number);
    for (size_t i = 0; i < s->n_row; i++) h = grn_parts_mix_name(h, grn_scanseq_name(&o->seq, i));
    for (size_t c = s->b0; c < s->b0 + s->bn; c++) {
        h = grn_parts_mix_name(h, grn_names_get(&set->names, c));
        h = grn_parts_mix(h, &set->gap[c], sizeof set->gap[c]);
        for (size_t i = set->first[c]; i < set->first[c + 1]; i++) {
            const grn_motif_t *m = &set->motif[i];
            h = grn_parts_mix(h, m->p, 4 * (size_t)m->w * sizeof *m->p);
            h = grn_parts_mix(h, m->total, m->w * sizeof *m->total);
            h = grn_parts_mix(h, &m->weight, sizeof m->weight);
        }
    }
    return h;
}

static grn_status save_part(const scores_t *s, const char *path)
{
    grn_mw_t *w = NULL;
    grn_status rc = open_output(s, path, &w);
    if (!rc) rc = append_block(s, w);
    if (!rc) {
        rc = grn_mw_commit(w);
        w = NULL;
    }
    grn_mw_abort(w);
    return rc;
}

static grn_status load_part(scores_t *s, const char *path)
{
    grn_status rc = GRN_OK;
    grn_matrix_t m = { 0 };
    GRN_TRY(grn_matrix_load(path, grn_common.pool, &m));
    if (m.n_rows != s->bn || m.n_cols != s->n_row || !m.is_dense) GRN_FAIL(GRN_EFORMAT, "'%s' is no part of this scan", path);
    GRN_TRY(GRN_GROW(s->score, s->score_cap, s->bn * s->n_row));
    memcpy(s->score, m.dense, s->bn * s->n_row * sizeof *s->score);
end:
    grn_matrix_clear(&m);
    return rc;
}

/* With --resume a block is on disk before it is appended; one that is there already is not scored again. */
static grn_status get_block(scores_t *s, size_t *n_kept)
{
    grn_status rc = GRN_OK;
    grn_str_t path = { 0 };
    if (!s->o->resume) return score_block(s);
    GRN_TRY(grn_parts_path(s->o->output, fingerprint(s), ".tensor.zst", &path));
    if (!access(path.s, R_OK)) {
        GRN_TRY(load_part(s, path.s));
        ++*n_kept;
    } else {
        GRN_TRY(score_block(s));
        GRN_TRY(save_part(s, path.s));
    }
end:
    grn_str_clear(&path);
    return rc;
}

/* ---- the whole ---- */

static grn_status start_workers(scores_t *s)
{
    grn_status rc = GRN_OK;
    int n = grn_par_n(grn_common.pool);
    GRN_TRY(GRN_NEW(s->worker, (size_t)n));
    for (int w = 0; w < n; w++) GRN_TRY(grn_cbust_work_create(&s->worker[w].work, NULL));
end:
    return rc;
}

static void scores_clear(scores_t *s)
{
    for (int w = 0; s->worker && w < grn_par_n(grn_common.pool); w++) {
        grn_seqlanes_clear(&s->worker[w].lanes);
        grn_cbust_work_destroy(s->worker[w].work);
        grn_sites_clear(&s->worker[w].sites);
        free(s->worker[w].ratio);
        free(s->worker[w].best);
    }
    free(s->worker);
    free(s->code);
    free(s->row);
    free(s->order);
    free(s->score);
}

static size_t block_size(const scores_t *s)
{
    uint64_t room = grn_common.max_mem && grn_common.max_mem / 4 < BLOCK_BYTES ? grn_common.max_mem / 4 : BLOCK_BYTES;
    uint64_t n = room / (s->n_row * sizeof *s->score);
    return n < 1 ? 1 : n < s->n ? (size_t)n : s->n;
}

static void report(const scores_t *s, uint64_t n_positive, size_t n_kept, size_t n_block)
{
    uint64_t n_base = 0;
    for (size_t i = 0; i < s->n_row; i++) n_base += s->row[i].len;
    if (n_kept) grn_log_info("resume: %zu of %zu blocks of motifs were there", n_kept, n_block);
    grn_log_info("scores: %zu motifs x %zu regions of %" PRIu64 " bases, %.1f %% above 0", s->n, s->n_row, n_base,
                 100.0 * (double)n_positive / ((double)s->n * (double)s->n_row));
}

grn_status grn_scan_scores(grn_scan_t *o)
{
    grn_status rc = GRN_OK;
    scores_t s = { .o = o };
    grn_mw_t *w = NULL;
    uint64_t n_positive = 0;
    size_t n_kept = 0, n_block = 0, step;
    s.first = (size_t)((o->shard - 1) * o->motifs.n / o->n_shard);
    s.n = (size_t)(o->shard * o->motifs.n / o->n_shard) - s.first;
    if (!s.n)
        GRN_FAIL(GRN_EEMPTY, "--shard: part %" PRIu64 " of %" PRIu64 " holds none of the %zu motifs", o->shard, o->n_shard,
                 o->motifs.n);
    GRN_TRY(load_sequences(&s));
    GRN_TRY(start_workers(&s));
    GRN_TRY(open_output(&s, o->output, &w));
    step = block_size(&s);
    grn_progress_begin(s.n, "motifs");
    for (s.b0 = s.first; s.b0 < s.first + s.n; s.b0 += s.bn, n_block++) {
        s.bn = s.first + s.n - s.b0 < step ? s.first + s.n - s.b0 : step;
        GRN_TRY(get_block(&s, &n_kept));
        for (size_t i = 0; i < s.bn * s.n_row; i++) n_positive += s.score[i] > 0;
        GRN_TRY(append_block(&s, w));
        grn_progress_add(s.bn);
    }
    grn_progress_end();
    report(&s, n_positive, n_kept, n_block);
    grn_mw_t *done = w;
    w = NULL;
    GRN_TRY(grn_mw_commit(done));
    if (o->resume) grn_parts_remove(o->output);
end:
    grn_progress_end();
    grn_mw_abort(w);
    scores_clear(&s);
    return rc;
}
