/* The genome: a first-order Markov chain with the dinucleotide habits of mammals, and the planted
 * sites written over it. */
#include "sim.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"

#define LINE_BP 60
#define WINDOW_BP (LINE_BP * 16384u)
#define N_AT_ONCE 16

/* P(next | base) of human autosomes, rounded: GC 41 %, CpG at about a fifth of what its bases would
 * give. Rows and columns A C G T. */
static const double chain[4][4] = { { 0.33, 0.17, 0.24, 0.26 },
                                    { 0.35, 0.26, 0.05, 0.34 },
                                    { 0.29, 0.21, 0.26, 0.24 },
                                    { 0.22, 0.20, 0.25, 0.33 } };

typedef struct {
    const grn_sim_t *s;
    size_t chrom;
    uint64_t begin; /* of the first window at hand */
    uint8_t *seq;   /* (N_AT_ONCE, WINDOW_BP) */
} work_t;

static void draw_background(const work_t *w, uint64_t window, uint8_t *out, uint64_t n)
{
    uint32_t cut[4][3];
    for (int a = 0; a < 4; a++)
        for (int b = 0; b < 3; b++)
            cut[a][b] =
                (uint32_t)((chain[a][0] + (b > 0 ? chain[a][1] : 0) + (b > 1 ? chain[a][2] : 0)) *
                           65536);
    grn_rng_t r;
    grn_rng_init2(&r, w->s->o.seed, "sim.genome",
                  grn_hash_str(grn_names_get(&w->s->chroms, w->chrom)), window);
    uint32_t bits = 0, last = 0;
    for (uint64_t i = 0; i < n; i++) {
        bits = i & 1 ? bits >> 16 : grn_rng_u32(&r);
        uint32_t u = bits & 0xffff;
        last = (uint32_t)(u >= cut[last][0]) + (uint32_t)(u >= cut[last][1]) +
               (uint32_t)(u >= cut[last][2]);
        out[i] = (uint8_t)last;
    }
}

/* First site of the chromosome that may reach into [begin, ...). */
static size_t first_site(const grn_sim_t *s, size_t chrom, uint64_t begin)
{
    size_t lo = 0, hi = s->n_sites;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        const grn_sim_site_t *x = &s->site[mid];
        if (x->chrom < chrom || (x->chrom == chrom && x->pos + 16 <= begin)) lo = mid + 1;
        else hi = mid;
    }
    return lo;
}

static grn_status fill_windows(void *ctx, size_t from, size_t to, int worker)
{
    work_t *w = ctx;
    (void)worker;
    for (size_t k = from; k < to; k++) {
        uint64_t begin = w->begin + k * WINDOW_BP, end = begin + WINDOW_BP,
                 len = w->s->chrom_len[w->chrom];
        uint8_t *out = w->seq + k * WINDOW_BP, site[16];
        if (end > len) end = len;
        draw_background(w, begin / WINDOW_BP, out, end - begin);
        for (size_t i = first_site(w->s, w->chrom, begin); i < w->s->n_sites; i++) {
            const grn_sim_site_t *x = &w->s->site[i];
            if (x->chrom != w->chrom || x->pos >= end) break;
            grn_sim_site_seq(w->s, x, site);
            for (uint64_t j = 0; j < w->s->motif[x->motif].w; j++)
                if (x->pos + j >= begin && x->pos + j < end) out[x->pos + j - begin] = site[j];
        }
        for (uint64_t i = 0; i < end - begin; i++) out[i] = (uint8_t)"ACGT"[out[i]];
    }
    return GRN_OK;
}

static grn_status write_lines(grn_out_t *o, const uint8_t *seq, uint64_t n)
{
    char line[LINE_BP + 1];
    line[LINE_BP] = '\n';
    for (uint64_t i = 0; i < n; i += LINE_BP) {
        memcpy(line, seq + i, LINE_BP); /* lengths are multiples of the line */
        if (grn_out_write(o, line, sizeof line)) return GRN_EIO;
    }
    return GRN_OK;
}

static grn_status write_chrom(work_t *w, grn_par_t *pool, grn_out_t *o)
{
    grn_status rc = GRN_OK;
    uint64_t len = w->s->chrom_len[w->chrom];
    for (w->begin = 0; w->begin < len; w->begin += (uint64_t)N_AT_ONCE * WINDOW_BP) {
        uint64_t left = len - w->begin, n = (left + WINDOW_BP - 1) / WINDOW_BP;
        if (n > N_AT_ONCE) n = N_AT_ONCE;
        GRN_TRY(grn_par_for(pool, n, 1, fill_windows, w));
        GRN_TRY(write_lines(o, w->seq, left < n * WINDOW_BP ? left : n * WINDOW_BP));
    }
end:
    return rc;
}

grn_status grn_sim_write_genome(const grn_sim_t *s, const char *dir, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    grn_out_t *fa = NULL, *fai = NULL;
    work_t w = { s, 0, 0, NULL };
    uint64_t off = 0;
    GRN_TRY(GRN_NEW_RAW(w.seq, (size_t)N_AT_ONCE * WINDOW_BP));
    GRN_TRY(grn_sim_open(&fa, dir, "genome.fa"));
    GRN_TRY(grn_sim_open(&fai, dir, "genome.fa.fai"));
    for (w.chrom = 0; w.chrom < s->chroms.n; w.chrom++) {
        const char *name = grn_names_get(&s->chroms, w.chrom);
        uint64_t len = s->chrom_len[w.chrom];
        off += strlen(name) + 2;
        GRN_TRY(grn_out_printf(fa, ">%s\n", name));
        GRN_TRY(grn_out_printf(fai, "%s\t%" PRIu64 "\t%" PRIu64 "\t%d\t%d\n", name, len, off,
                               LINE_BP, LINE_BP + 1));
        GRN_TRY(write_chrom(&w, pool, fa));
        off += len / LINE_BP * (LINE_BP + 1);
    }
    rc = grn_out_commit(fa);
    fa = NULL;
    if (rc) goto end;
    rc = grn_out_commit(fai);
    fai = NULL;
end:
    grn_out_abort(fa);
    grn_out_abort(fai);
    free(w.seq);
    return rc;
}
