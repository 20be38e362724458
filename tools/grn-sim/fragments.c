/* Fragments, chromosome by chromosome: drawn cell by cell, sorted, spelled, compressed, written in
 * order.
 *
 * Within a cell the fragments of a region are a Poisson number around (depth of the cell) x
 * (openness); a share of all fragments falls anywhere. Lengths are a mixture of nucleosome-free,
 * mono-, di- and trinucleosome pieces; column 5 counts the PCR copies seen. */
#include "sim.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include <htslib/bgzf.h>
#include <htslib/tbx.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

static const struct {
    double in_regions; /* share of fragments around regions */
    double free_share, mono_share, di_share;
    double free_shape, free_scale; /* nucleosome-free: 25 bp + gamma */
    double mono, mono_sd, di, di_sd, tri, tri_sd;
    double spread, flank; /* sd of the middle of a fragment around the summit; how far nucleosomes
                             sit from it */
    double again;         /* P(one more copy) */
} par = { 0.6, 0.58, 0.25, 0.14, 1.5, 40, 200, 40, 370, 55, 545, 60, 70, 110, 0.15 };

#define GRAIN_CELLS 32
#define BUCKET_BP 16384u
#define SPELL_BUCKETS 16
#define BLOCK_BYTES 0xff00u /* of text in a BGZF block, as bgzip cuts them */
#define N_BLOCKS 64

typedef struct {
    uint32_t start, code; /* code: the 16 bases of the barcode, 2 bits each: ascending = bytewise
                             order of barcodes */
    uint16_t len, copies;
} frag_t;

typedef struct {
    frag_t *f;
    size_t n, cap;
} frags_t;

typedef struct {
    grn_sim_cell_t cell;
    float *shut, *open;
} scratch_t;

typedef struct {
    const grn_sim_t *s;
    uint32_t chrom;
    size_t first_region, end_region;
    double genome_bp;
    scratch_t *scratch;
    int n_workers;
    frags_t *chunk; /* (n_chunk) by cells */
    size_t n_chunk;
    frag_t *all; /* sorted by bucket, then within */
    size_t cap_all, *bucket, n_bucket, cap_bucket;
    grn_str_t *text; /* of SPELL_BUCKETS buckets */
    size_t n_text, cap_text;
} work_t;

typedef struct { /* BGZF made in parallel: same bytes for any number of threads */
    grn_out_t *o;
    grn_par_t *pool;
    size_t n;
    uint8_t *raw; /* (N_BLOCKS, BLOCK_BYTES) */
    uint8_t (*packed)[BGZF_MAX_BLOCK_SIZE];
    size_t packed_n[N_BLOCKS];
} bgz_t;

/* ---- drawing ---- */
static uint32_t barcode_code(const char *b)
{
    uint32_t x = 0;
    for (int i = 0; i < 16; i++)
        x = x << 2 | (uint32_t)(b[i] == 'A' ? 0 : b[i] == 'C' ? 1 : b[i] == 'G' ? 2 : 3);
    return x;
}

static grn_status draw_fragment(const work_t *w, grn_rng_t *r, uint32_t code, double mid,
                                int flanked, frags_t *out)
{
    double u = grn_rng_unif(r), len, z = grn_rng_normal(r), side = grn_rng_unif(r) < 0.5 ? -1 : 1;
    int whole = u >= par.free_share;
    if (!whole) len = 25 + par.free_scale * grn_rng_gamma(r, par.free_shape);
    else if (u < par.free_share + par.mono_share) len = par.mono + par.mono_sd * z;
    else if (u < par.free_share + par.mono_share + par.di_share) len = par.di + par.di_sd * z;
    else len = par.tri + par.tri_sd * z;
    if (flanked) mid += par.spread * grn_rng_normal(r) + (whole ? side * par.flank : 0);
    len = fmin(fmax(floor(len), 20), 1000);
    double start = floor(mid - len / 2), chrom = (double)w->s->chrom_len[w->chrom];
    frag_t f = { 0, code, (uint16_t)len, 1 };
    while (grn_rng_unif(r) < par.again && f.copies < 1000) f.copies++;
    if (start < 0 || start + len > chrom) return GRN_OK; /* off the end */
    f.start = (uint32_t)start;
    if (out->n == out->cap && GRN_GROW(out->f, out->cap, out->n + 1)) return GRN_ENOMEM;
    out->f[out->n++] = f;
    return GRN_OK;
}

static grn_status draw_cell(const work_t *w, scratch_t *x, frags_t *out)
{
    const grn_sim_t *s = w->s;
    double bp = (double)s->chrom_len[w->chrom],
           per_open = x->cell.frags * par.in_regions * s->acc_scale[x->cell.type];
    uint32_t code = barcode_code(x->cell.barcode);
    grn_rng_t r;
    grn_rng_init2(&r, s->o.seed, "sim.fragments", x->cell.hash,
                  grn_hash_str(grn_names_get(&s->chroms, w->chrom)));
    grn_sim_openness(s, &x->cell, w->first_region, w->end_region, x->shut, x->open);
    double wait = grn_rng_exp(&r);
    for (size_t i = w->first_region; i < w->end_region; i++) {
        double left = per_open * (double)x->open[i];
        for (; wait < left; wait = grn_rng_exp(&r)) {
            left -= wait;
            if (draw_fragment(w, &r, code, (double)s->region[i].start + GRN_SIM_REGION_BP / 2.0, 1,
                              out))
                return GRN_ENOMEM;
        }
        wait -= left;
    }
    uint64_t n = grn_rng_poisson(&r, x->cell.frags * (1 - par.in_regions) * bp / w->genome_bp);
    for (uint64_t i = 0; i < n; i++)
        if (draw_fragment(w, &r, code, grn_rng_unif(&r) * bp, 0, out)) return GRN_ENOMEM;
    return GRN_OK;
}

static grn_status draw_cells(void *ctx, size_t begin, size_t end, int worker)
{
    work_t *w = ctx;
    scratch_t *x = &w->scratch[worker];
    for (size_t k = begin; k < end; k++) {
        grn_sim_cell(w->s, k, &x->cell);
        if (draw_cell(w, x, &w->chunk[begin / GRAIN_CELLS])) return GRN_ENOMEM;
    }
    return GRN_OK;
}

/* ---- sorting ---- */
static int by_place(const void *a, const void *b)
{
    const frag_t *x = a, *y = b;
    if (x->start != y->start) return x->start < y->start ? -1 : 1;
    if (x->len != y->len) return x->len < y->len ? -1 : 1;
    if (x->code != y->code) return x->code < y->code ? -1 : 1;
    return (x->copies > y->copies) - (x->copies < y->copies);
}

/* All fragments of the chromosome by bucket of start, in cell order within a bucket. */
static grn_status bucket(work_t *w)
{
    size_t n = 0;
    w->n_bucket = (size_t)(w->s->chrom_len[w->chrom] / BUCKET_BP) + 1;
    for (size_t k = 0; k < w->n_chunk; k++) n += w->chunk[k].n;
    if (GRN_GROW(w->all, w->cap_all, n + 1) || GRN_GROW(w->bucket, w->cap_bucket, w->n_bucket + 2))
        return GRN_ENOMEM;
    memset(w->bucket, 0, (w->n_bucket + 2) * sizeof *w->bucket);
    size_t *count =
        w->bucket +
        2; /* ends up shifted by two: bucket[b + 1] is the cursor, and then the end, of b */
    for (size_t k = 0; k < w->n_chunk; k++)
        for (size_t i = 0; i < w->chunk[k].n; i++) {
            size_t b = w->chunk[k].f[i].start / BUCKET_BP;
            if (b + 1 < w->n_bucket) count[b]++;
        }
    for (size_t b = 0; b + 1 < w->n_bucket; b++) count[b] += b ? count[b - 1] : 0;
    for (size_t k = 0; k < w->n_chunk; k++) {
        for (size_t i = 0; i < w->chunk[k].n; i++)
            w->all[w->bucket[w->chunk[k].f[i].start / BUCKET_BP + 1]++] = w->chunk[k].f[i];
        w->chunk[k].n = 0;
    }
    return GRN_OK;
}

static void spell(grn_str_t *t, const char *chrom, size_t chrom_n, const frag_t *f)
{
    char num[20], *p = t->s + t->n;
    uint64_t v[2] = { f->start, (uint64_t)f->start + f->len };
    memcpy(p, chrom, chrom_n);
    p += chrom_n;
    for (int j = 0; j < 2; j++) {
        int n = 0;
        *p++ = '\t';
        do num[n++] = (char)('0' + v[j] % 10);
        while (v[j] /= 10);
        while (n) *p++ = num[--n];
    }
    *p++ = '\t';
    for (int i = 0; i < 16; i++) *p++ = "ACGT"[f->code >> (30 - 2 * i) & 3];
    p += snprintf(p, 16, "-1\t%u\n", f->copies);
    t->n = (size_t)(p - t->s);
}

/* Sorts and spells SPELL_BUCKETS buckets. */
static grn_status spell_buckets(void *ctx, size_t begin, size_t end, int worker)
{
    work_t *w = ctx;
    const char *chrom = grn_names_get(&w->s->chroms, w->chrom);
    size_t chrom_n = strlen(chrom);
    (void)worker;
    for (size_t k = begin; k < end; k++) {
        size_t b0 = k * SPELL_BUCKETS,
               b1 = b0 + SPELL_BUCKETS < w->n_bucket ? b0 + SPELL_BUCKETS : w->n_bucket;
        grn_str_t *t = &w->text[k];
        t->n = 0;
        if (GRN_GROW(t->s, t->cap, (w->bucket[b1] - w->bucket[b0]) * (chrom_n + 64) + 1))
            return GRN_ENOMEM;
        for (size_t b = b0; b < b1; b++)
            qsort(w->all + w->bucket[b], w->bucket[b + 1] - w->bucket[b], sizeof *w->all, by_place);
        for (size_t i = w->bucket[b0]; i < w->bucket[b1]; i++) spell(t, chrom, chrom_n, &w->all[i]);
    }
    return GRN_OK;
}

/* ---- compressing ---- */
static grn_status pack_blocks(void *ctx, size_t begin, size_t end, int worker)
{
    bgz_t *z = ctx;
    (void)worker;
    for (size_t k = begin; k < end; k++) {
        size_t from = k * BLOCK_BYTES, n = z->n - from < BLOCK_BYTES ? z->n - from : BLOCK_BYTES;
        z->packed_n[k] = BGZF_MAX_BLOCK_SIZE;
        if (bgzf_compress(z->packed[k], &z->packed_n[k], z->raw + from, n, 5) != 0)
            return grn_err(GRN_EIO, "bgzip compression failed");
    }
    return GRN_OK;
}

static grn_status bgz_flush(bgz_t *z)
{
    size_t n = (z->n + BLOCK_BYTES - 1) / BLOCK_BYTES;
    grn_status rc = grn_par_for(z->pool, n, 1, pack_blocks, z);
    for (size_t k = 0; k < n && rc == GRN_OK; k++)
        rc = grn_out_write(z->o, z->packed[k], z->packed_n[k]);
    z->n = 0;
    return rc;
}

static grn_status bgz_write(bgz_t *z, const char *p, size_t n)
{
    while (n) {
        size_t room = (size_t)N_BLOCKS * BLOCK_BYTES - z->n, k = n < room ? n : room;
        memcpy(z->raw + z->n, p, k);
        z->n += k;
        p += k;
        n -= k;
        if (z->n == (size_t)N_BLOCKS * BLOCK_BYTES && bgz_flush(z)) return GRN_EIO;
    }
    return GRN_OK;
}

static grn_status bgz_open(bgz_t *z, const char *dir, const char *name, grn_par_t *pool)
{
    z->pool = pool;
    if (GRN_NEW_RAW(z->raw, (size_t)N_BLOCKS * BLOCK_BYTES) || GRN_NEW_RAW(z->packed, N_BLOCKS))
        return GRN_ENOMEM;
    return grn_sim_open(&z->o, dir, name);
}

static grn_status bgz_commit(bgz_t *z)
{
    static const char eof[] =
        "\037\213\010\4\0\0\0\0\0\377\6\0\102\103\2\0\033\0\3\0\0\0\0\0\0\0\0"; /* 27 bytes and the
                                                                                   NUL: the empty
                                                                                   block */
    grn_status rc = bgz_flush(z);
    if (rc == GRN_OK) rc = grn_out_write(z->o, eof, sizeof eof);
    if (rc) return rc;
    rc = grn_out_commit(z->o);
    z->o = NULL;
    return rc;
}

static void bgz_clear(bgz_t *z)
{
    grn_out_abort(z->o);
    free(z->raw);
    free(z->packed);
}

/* ---- all of it ---- */
static grn_status work_init(work_t *w, const grn_sim_t *s, int n_workers)
{
    grn_status rc = GRN_OK;
    w->s = s;
    w->n_workers = n_workers;
    w->n_chunk = ((size_t)s->o.cells + GRAIN_CELLS - 1) / GRAIN_CELLS;
    for (size_t c = 0; c < s->chroms.n; c++) w->genome_bp += (double)s->chrom_len[c];
    GRN_TRY(GRN_NEW(w->chunk, w->n_chunk));
    GRN_TRY(GRN_NEW(w->scratch, (size_t)n_workers));
    for (int i = 0; i < n_workers; i++) {
        GRN_TRY(grn_sim_cell_init(s, &w->scratch[i].cell));
        GRN_TRY(GRN_NEW(w->scratch[i].shut, s->regions.n));
        GRN_TRY(GRN_NEW(w->scratch[i].open, s->regions.n));
        for (size_t j = 0; j < s->regions.n; j++) w->scratch[i].shut[j] = 1;
    }
end:
    return rc;
}

static void work_clear(work_t *w)
{
    for (int i = 0; w->scratch && i < w->n_workers; i++) {
        grn_sim_cell_clear(&w->scratch[i].cell);
        free(w->scratch[i].shut);
        free(w->scratch[i].open);
    }
    for (size_t k = 0; w->chunk && k < w->n_chunk; k++) free(w->chunk[k].f);
    for (size_t k = 0; k < w->cap_text; k++) grn_str_clear(&w->text[k]);
    free(w->scratch);
    free(w->chunk);
    free(w->all);
    free(w->bucket);
    free(w->text);
}

static grn_status write_chrom(work_t *w, grn_par_t *pool, bgz_t *z)
{
    grn_status rc = GRN_OK;
    size_t old = w->cap_text;
    GRN_TRY(grn_par_for(pool, (size_t)w->s->o.cells, GRAIN_CELLS, draw_cells, w));
    GRN_TRY(bucket(w));
    w->n_text = (w->n_bucket + SPELL_BUCKETS - 1) / SPELL_BUCKETS;
    GRN_TRY(GRN_GROW(w->text, w->cap_text, w->n_text));
    memset(w->text + old, 0, (w->cap_text - old) * sizeof *w->text);
    GRN_TRY(grn_par_for(pool, w->n_text, 1, spell_buckets, w));
    for (size_t k = 0; k < w->n_text; k++) GRN_TRY(bgz_write(z, w->text[k].s, w->text[k].n));
end:
    return rc;
}

static grn_status make_index(const char *dir)
{
    grn_status rc = GRN_OK;
    grn_str_t gz = { 0 }, tbi = { 0 };
    GRN_TRY(grn_str_printf(&gz, "%s/fragments.tsv.gz", dir));
    GRN_TRY(grn_str_printf(&tbi, "%s/fragments.tsv.gz.tbi", dir));
    if (tbx_index_build3(gz.s, tbi.s, 0, 1, &tbx_conf_bed) != 0)
        GRN_FAIL(GRN_EIO, "cannot index '%s'", gz.s);
end:
    grn_str_clear(&gz);
    grn_str_clear(&tbi);
    return rc;
}

grn_status grn_sim_write_fragments(const grn_sim_t *s, const char *dir, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    work_t w = { 0 };
    bgz_t z = { 0 };
    uint64_t n = 0;
    GRN_TRY(work_init(&w, s, grn_par_n(pool)));
    GRN_TRY(bgz_open(&z, dir, "fragments.tsv.gz", pool));
    grn_progress_begin(s->chroms.n, "chromosomes");
    for (w.chrom = 0; w.chrom < s->chroms.n; w.chrom++) {
        w.first_region = w.end_region;
        while (w.end_region < s->regions.n && s->region[w.end_region].chrom == w.chrom)
            w.end_region++;
        GRN_TRY(write_chrom(&w, pool, &z));
        n += w.bucket[w.n_bucket];
        grn_progress_add(1);
    }
    grn_progress_end();
    GRN_TRY(bgz_commit(&z));
    GRN_TRY(make_index(dir));
    grn_log_info("fragments: %" PRIu64 ", %.1f per cell", n, (double)n / (double)s->o.cells);
end:
    bgz_clear(&z);
    work_clear(&w);
    return rc;
}
