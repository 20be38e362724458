/* grn-build scan: motifs in sequence. Options; what is scored how is in scan_sites.c and scan_scores.c. */
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "build.h"
#include "hits.h"
#include "parts.h"
#include "scan.h"

static struct {
    grn_opt_list_t motifs;
    const char *scorer, *genome, *regions, *hits, *background, *strand, *output, *bed, *pseudo, *shard;
    double p, gap;
    int64_t range, padding;
    int mask, clusters, log10p, resume;
} opt = { .scorer = "sites",
          .background = "regions",
          .strand = "both",
          .output = "-",
          .pseudo = "auto",
          .shard = "1/1",
          .p = 1e-4,
          .gap = 35,
          .range = 10000,
          .padding = -1 };

static const grn_opt_t table[] = {
    GRN_OPT_HEAD("Input"),
    GRN_OPT_LIST('m', "motifs", "FILE", &opt.motifs,
                 "motifs: JASPAR, MEME, Cluster-Buster, TRANSFAC, HOMER; or a folder, each file one cluster; repeatable"),
    GRN_OPT_FLAG(0, "clusters", &opt.clusters, "the matrices of each motif file are one cluster, named after the file"),
    GRN_OPT_STR('g', "genome", "FASTA", &opt.genome, "sequence: FASTA, plain or bgzip"),
    GRN_OPT_STR('r', "regions", "BED", &opt.regions, "regions to scan [every sequence of the FASTA, whole]"),
    GRN_OPT_STR(0, "motif-hits", "BED", &opt.hits,
                "sites found elsewhere (column 4 = motif, 5 = score), in place of motifs and genome"),
    GRN_OPT_FLAG(0, "mask", &opt.mask, "treat lower case (repeats) as N"),
    GRN_OPT_HEAD("Scoring"),
    GRN_OPT_ENUM(0, "scorer", "sites|cbust|max|occupancy", &opt.scorer,
                 "best site where one reaches p; or a score of every pair: cluster of sites, best word, expected occupancy"),
    GRN_OPT_FLT('p', "pvalue", "FLOAT", &opt.p, 1e-30, 1, "sites: a site's score is reached by a random word at most this often"),
    GRN_OPT_STR(0, "background", "WHICH", &opt.background,
                "sites, max: base frequencies: regions, uniform, motifs (of a MEME file), or A,C,G,T"),
    GRN_OPT_ENUM(0, "strand", "both|plus", &opt.strand, "sites, max: strands to scan"),
    GRN_OPT_STR(0, "pseudocount", "FLOAT", &opt.pseudo,
                "added to the counts; auto: 0.375 to each base (cbust, occupancy), 0.1 a position (sites, max)"),
    GRN_OPT_FLAG(0, "log10p", &opt.log10p, "max: -log10 of the exact p-value of the best word in place of its score"),
    GRN_OPT_FLT(0, "gap", "FLOAT", &opt.gap, 0.001, 1e6, "cbust, occupancy: mean distance between sites of a cluster"),
    GRN_OPT_INT(0, "range", "BP", &opt.range, 1, 1000000000,
                "cbust, occupancy: the local background is what lies within this distance"),
    GRN_OPT_INT(0, "padding", "BP", &opt.padding, -1, 1000000000,
                "cbust, occupancy: bases beside each region that count for its background (-1: 1000); without --regions, bases at both "
                "ends of each sequence that do no more than that (-1: 0)"),
    GRN_OPT_HEAD("Output"),
    GRN_OPT_STR('o', "output", "FILE", &opt.output, "sites: regions x motifs, sparse; else motifs x regions, dense; grn.matrix/1"),
    GRN_OPT_STR('b', "bed", "FILE", &opt.bed, "sites: also every single site: BED6 + p-value + region"),
    GRN_OPT_STR(0, "shard", "I/N", &opt.shard, "score only part I of N of the motifs; grn-view merge joins the parts in order"),
    GRN_OPT_FLAG(0, "resume", &opt.resume, "keep finished blocks of motifs in FILE.parts and go on from those that are there"),
    GRN_OPT_END,
};

static grn_status parse_background(const char *text, double bg[4])
{
    char buf[256], *f[5];
    if (strlen(text) < sizeof buf) {
        strncpy(buf, text, sizeof buf);
        if (grn_split(buf, ',', f, 5) == 4) {
            int b = 0;
            while (b < 4 && !grn_parse_f64(f[b], &bg[b]) && bg[b] > 0) b++;
            if (b == 4) return GRN_OK;
        }
    }
    return grn_err(GRN_EUSAGE, "--background '%s': regions, uniform, motifs, or four positive numbers A,C,G,T", text);
}

/* Base frequencies; with both strands scanned A = T and C = G. */
static grn_status choose_background(grn_scan_t *s, const uint64_t count[5])
{
    double sum = 0, *bg = s->bg;
    for (int b = 0; b < 4; b++) bg[b] = 1;
    if (!strcmp(opt.background, "regions")) {
        for (int b = 0; b < 4; b++) bg[b] = (double)count[b] + 1; /* + 1: no base is impossible */
    } else if (!strcmp(opt.background, "motifs")) {
        for (int b = 0; b < 4; b++) bg[b] = s->motifs.background[b];
        if (bg[0] <= 0 || bg[1] <= 0 || bg[2] <= 0 || bg[3] <= 0)
            return grn_err(GRN_EUSAGE, "--background motifs: the motif file gives no background letter frequencies (MEME form does)");
    } else if (strcmp(opt.background, "uniform") != 0) {
        grn_status rc = parse_background(opt.background, bg);
        if (rc) return rc;
    }
    if (s->both) {
        bg[0] = bg[3] = (bg[0] + bg[3]) / 2;
        bg[1] = bg[2] = (bg[1] + bg[2]) / 2;
    }
    for (int b = 0; b < 4; b++) sum += bg[b];
    for (int b = 0; b < 4; b++) bg[b] /= sum;
    grn_log_info("background: A %.4f, C %.4f, G %.4f, T %.4f (%s)", bg[0], bg[1], bg[2], bg[3], opt.background);
    return GRN_OK;
}

static grn_status parse_pseudocount(grn_scan_t *s)
{
    int local = s->scorer == GRN_SCORER_CBUST || s->scorer == GRN_SCORER_OCCUPANCY;
    s->pseudo = local ? 0.375 : 0.1;
    if (!strcmp(opt.pseudo, "auto")) return GRN_OK;
    if (!grn_parse_f64(opt.pseudo, &s->pseudo) && s->pseudo >= 0 && s->pseudo <= 1e6) return GRN_OK;
    return grn_err(GRN_EUSAGE, "--pseudocount '%s': auto, or a number from 0 to 1e6", opt.pseudo);
}

static grn_status take_options(grn_scan_t *s)
{
    static const char *const word[] = { "sites", "cbust", "max", "occupancy" };
    grn_status rc = GRN_OK;
    while (strcmp(word[s->scorer], opt.scorer) != 0) s->scorer++;
    s->scorer_name = opt.scorer;
    s->strand = opt.strand;
    s->both = !strcmp(opt.strand, "both");
    s->output = opt.output;
    s->bed = opt.bed;
    s->p = opt.p;
    s->gap = opt.gap;
    s->range = (uint64_t)opt.range;
    s->padding = opt.padding >= 0 ? (uint64_t)opt.padding : opt.regions ? 1000 : 0;
    if (s->scorer == GRN_SCORER_MAX) s->padding = 0;
    s->log10p = opt.log10p;
    s->resume = opt.resume;
    GRN_TRY(grn_parts_shard(opt.shard, &s->shard, &s->n_shard));
    GRN_TRY(parse_pseudocount(s));
    if (s->scorer == GRN_SCORER_SITES && (s->n_shard > 1 || s->resume))
        GRN_FAIL(GRN_EUSAGE, "--shard and --resume go with --scorer cbust, max or occupancy");
    if (s->scorer != GRN_SCORER_SITES && s->bed) GRN_FAIL(GRN_EUSAGE, "--bed goes with --scorer sites");
    if (s->scorer != GRN_SCORER_MAX && s->log10p) GRN_FAIL(GRN_EUSAGE, "--log10p goes with --scorer max");
    if (s->resume && !strcmp(s->output, "-")) GRN_FAIL(GRN_EUSAGE, "--resume needs --output FILE");
end:
    return rc;
}

static grn_status scan(void)
{
    grn_status rc = GRN_OK;
    grn_scan_t s = { 0 };
    uint64_t count[5] = { 0 };
    GRN_TRY(take_options(&s));
    GRN_TRY(grn_motifset_load(&s.motifs, &opt.motifs, opt.clusters));
    GRN_TRY(grn_scanseq_open(&s.seq, opt.genome, opt.regions, opt.mask));
    GRN_TRY(grn_scanseq_survey(&s.seq, count));
    if (s.scorer == GRN_SCORER_SITES || s.scorer == GRN_SCORER_MAX) GRN_TRY(choose_background(&s, count));
    GRN_TRY(s.scorer == GRN_SCORER_SITES ? grn_scan_sites(&s) : grn_scan_scores(&s));
end:
    grn_motifset_clear(&s.motifs);
    grn_scanseq_clear(&s.seq);
    return rc;
}

static grn_status run(const grn_args_t *args)
{
    (void)args;
    if (opt.hits && (opt.motifs.n || opt.genome || opt.bed || strcmp(opt.scorer, "sites") != 0))
        return grn_err(GRN_EUSAGE, "--motif-hits goes with --regions and --output only");
    if (opt.hits && !opt.regions) return grn_err(GRN_EUSAGE, "--motif-hits needs --regions BED");
    if (!opt.hits && !opt.motifs.n) return grn_err(GRN_EUSAGE, "give motifs with --motifs FILE, or sites with --motif-hits BED");
    if (!opt.hits && !opt.genome) return grn_err(GRN_EUSAGE, "give the sequence with --genome FASTA, or sites with --motif-hits BED");
    return opt.hits ? grn_hits_run(opt.hits, opt.regions, opt.output) : scan();
}

const grn_subtool_t grn_build_scan = {
    .tool = { .name = "grn-build scan",
              .brief = "score motifs in regions: sites, clusters of sites, best words, occupancy",
              .usage = "[options] -m MOTIFS -g GENOME.fa -r REGIONS.bed",
              .opt = table,
              .min_args = 0,
              .max_args = 0,
              .examples = "  grn-build scan -m jaspar.meme -g hg38.fa -r peaks.bed -o motifs.tensor.zst --bed sites.bed\n"
                          "  grn-build scan --scorer cbust -m v10nr_clust/ -g hg38.fa -r peaks.bed -o scores.tensor.zst\n"
                          "  grn-build scan --motif-hits sites.bed -r peaks.bed -o motifs.tensor.zst\n" },
    .run = run,
};
