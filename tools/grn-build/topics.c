/* grn-build topics: latent topics of accessibility (LDA), or LSI, as low-rank accessibility. */
#include "topics.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "build.h"
#include "outdir.h"

#define MAX_SIZES 64

static struct {
    const char *output, *topics, *method, *models, *metrics, *qc, *region_sets, *cell_sets;
    grn_opt_list_t binarize;
    grn_counts_cli_t input;
    double alpha, eta, holdout;
    int64_t sweeps, average, replicates, ntop;
    int drop_depth;
} opt = { .output = "-",
          .topics = "40",
          .method = "lda",
          .input = GRN_COUNTS_CLI_INIT,
          .eta = 0.1,
          .holdout = 0.05,
          .sweeps = 300,
          .average = 100,
          .replicates = 1,
          .ntop = 3000 };

static const grn_opt_t table[] = {
    GRN_OPT_HEAD("Output"),
    GRN_OPT_STR('o', "output", "FILE", &opt.output, "low-rank accessibility of the model, of several the one recommended"),
    GRN_OPT_STR(0, "models", "DIR", &opt.models, "and every model: DIR/topics.K40.tensor.zst ..."),
    GRN_OPT_STR(0, "metrics", "FILE", &opt.metrics, "a row per model, TSV, or grn.result/1 when FILE ends in .zst"),
    GRN_OPT_STR(0, "topic-qc", "FILE", &opt.qc, "a row per topic of the model"),
    GRN_OPT_STR(0, "region-sets", "DIR", &opt.region_sets, "regions of each topic: DIR/otsu/Topic_1.bed ..."),
    GRN_OPT_LIST(0, "binarize", "otsu|yen|li|ntop", &opt.binarize, "rule of --region-sets; again for more [otsu and ntop]"),
    GRN_OPT_INT(0, "ntop", "INT", &opt.ntop, 1, 1000000000, "regions of a topic by rule ntop"),
    GRN_OPT_STR(0, "cell-sets", "DIR", &opt.cell_sets, "cells of each topic by rule li: DIR/Topic_1.txt ..."),
    GRN_OPT_HEAD("Model"),
    GRN_OPT_STR('k', "topics", "INT[,INT...]", &opt.topics, "topics; a list makes a model of each size and recommends one"),
    GRN_OPT_ENUM('m', "method", "lda|lsi", &opt.method, "topics by Gibbs sampling; or components of TF-IDF, faster"),
    GRN_OPT_INT('s', "sweeps", "INT", &opt.sweeps, 1, 1000000, "passes over all tokens"),
    GRN_OPT_INT(0, "average", "INT", &opt.average, 1, 1000000, "the model is the mean over the last so many sweeps"),
    GRN_OPT_FLT(0, "alpha", "FLOAT", &opt.alpha, 0, 1e6,
                "prior of topics in a cell, in all; 0: 50, or a tenth of a mean cell's tokens"),
    GRN_OPT_FLT(0, "eta", "FLOAT", &opt.eta, 1e-6, 1e6, "prior of each region in a topic"),
    GRN_OPT_FLT(0, "holdout", "FLOAT", &opt.holdout, 0, 0.5,
                "share of tokens kept out of the first two thirds of the sweeps, to score the model"),
    GRN_OPT_INT(0, "replicates", "INT", &opt.replicates, 1, 100, "models of each size, with seeds of their own, to tell stability"),
    GRN_OPT_FLAG(0, "drop-depth", &opt.drop_depth, "lsi: leave out the first component, which tells the depth of a cell"),
    GRN_OPT_HEAD("Input"),
    GRN_COUNTS_OPTIONS(opt.input),
    GRN_OPT_END,
};

static const char *const rule_word[] = { "otsu", "yen", "li", "ntop" }; /* by grn_binarize */

static int by_size(const void *x, const void *y)
{
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    return a < b ? -1 : a > b;
}

/* "10,20,40": distinct and ascending. */
static grn_status parse_sizes(const char *list, uint32_t K[MAX_SIZES], size_t *n)
{
    grn_status rc = GRN_OK;
    char *copy = strdup(list), *field[MAX_SIZES + 1];
    if (!copy) return grn_err(GRN_ENOMEM, "out of memory");
    *n = grn_split(copy, ',', field, MAX_SIZES + 1);
    if (*n > MAX_SIZES) GRN_FAIL(GRN_EUSAGE, "--topics lists more than %d sizes", MAX_SIZES);
    for (size_t i = 0; i < *n; i++) {
        int64_t v;
        if (grn_parse_i64(field[i], &v) || v < 1 || v > GRN_LDA_MAX_TOPICS)
            GRN_FAIL(GRN_EUSAGE, "--topics '%s': numbers from 1 to %d are expected, separated by commas", list, GRN_LDA_MAX_TOPICS);
        K[i] = (uint32_t)v;
    }
    qsort(K, *n, sizeof *K, by_size);
    size_t m = 1;
    for (size_t i = 1; i < *n; i++)
        if (K[i] != K[m - 1]) K[m++] = K[i];
    *n = m;
end:
    free(copy);
    return rc;
}

static grn_status check_options(size_t n_sizes)
{
    static const char *both[] = { "otsu", "ntop" };
    int is_lsi = opt.method[1] == 's';
    if (is_lsi && (opt.models || opt.metrics || opt.qc || opt.region_sets || opt.cell_sets || n_sizes > 1))
        return grn_err(GRN_EUSAGE,
                       "--method lsi makes one model and no topics: only --output, --topics INT and --drop-depth go with it");
    if (!is_lsi && opt.drop_depth) return grn_err(GRN_EUSAGE, "--drop-depth goes with --method lsi");
    if (opt.average > opt.sweeps)
        return grn_err(GRN_EUSAGE, "--average %" PRId64 " is more than --sweeps %" PRId64, opt.average, opt.sweeps);
    if (opt.binarize.n && !opt.region_sets) return grn_err(GRN_EUSAGE, "--binarize goes with --region-sets DIR");
    if (!opt.binarize.n) opt.binarize = (grn_opt_list_t){ both, 2, 2 };
    for (size_t i = 0; i < opt.binarize.n; i++) {
        size_t k = 0;
        while (k < 4 && strcmp(rule_word[k], opt.binarize.v[i]) != 0) k++;
        if (k == 4) return grn_err(GRN_EUSAGE, "--binarize '%s': one of otsu, yen, li, ntop is expected", opt.binarize.v[i]);
    }
    return GRN_OK;
}

static void say_corpus(const grn_corpus_t *c)
{
    size_t silent = 0, unseen = 0;
    for (size_t i = 0; i < c->C; i++) silent += !c->cell_n[i];
    for (size_t i = 0; i < c->R; i++) unseen += !c->region_cells[i];
    grn_log_info("%zu cells x %zu regions, %" PRIu64 " tokens (%.1f a cell), %" PRIu64 " held out; %" PRIu64
                 " entries above 1 are taken as 1",
                 c->C, c->R, c->n_tokens, (double)c->n_tokens / (double)c->C, c->n_held, c->n_above_one);
    if (silent) grn_log_warn("%zu cells have no accessible region: their topics are the prior", silent);
    if (unseen) grn_log_info("%zu regions are accessible in no cell", unseen);
}

/* cisTopic's 50, but never more than a tenth of what a cell of average depth says itself. */
static void settle_alpha(const grn_corpus_t *c)
{
    if (opt.alpha > 0) return;
    opt.alpha = fmax(0.1, fmin(50, 0.1 * (double)c->n_tokens / (double)c->C));
    if (opt.alpha < 50) grn_log_info("alpha: %.4g, a tenth of the tokens of a mean cell (--alpha 50 is cisTopic's)", opt.alpha);
}

static void say_choice(const grn_topics_t *t)
{
    const uint32_t chosen = t->metrics[t->frugal].K, best = t->metrics[t->best].K;
    if (t->n == 1) return;
    if (isnan(t->metrics[0].perplexity))
        grn_log_warn("nothing was held out (--holdout 0): the smallest model is taken, by no criterion");
    else if (chosen == best) grn_log_info("recommended: %u topics, which predict held-out tokens best", chosen);
    else
        grn_log_info(
            "recommended: %u topics, the fewest that predict held-out tokens within one standard error (paired over cells) of %u "
            "topics, the best",
            chosen, best);
    if (!isnan(t->combined[t->combined_best]))
        grn_log_info("pycisTopic's rule (Arun, Cao-Juan, Mimno and likelihood, scaled and summed; K >= 5) would take %u topics",
                     t->metrics[t->combined_best].K);
}

typedef struct {
    char text[8][32];
    const char *pair[16];
    size_t n;
} meta_t;

static void add_number(meta_t *m, const char *key, double x)
{
    grn_fmt_f64(m->text[m->n], x);
    m->pair[2 * m->n] = key;
    m->pair[2 * m->n + 1] = m->text[m->n];
    m->n++;
}

static grn_status save_model(const grn_corpus_t *c, grn_topics_t *t, size_t i, const char *path, grn_lowrank_t *l)
{
    meta_t m = { .n = 0 };
    grn_status rc = grn_topics_lowrank(c, &t->model[i], l);
    if (rc) return rc;
    add_number(&m, "sweeps", (double)opt.sweeps);
    add_number(&m, "average", (double)opt.average);
    add_number(&m, "alpha", opt.alpha);
    add_number(&m, "eta", opt.eta);
    add_number(&m, "holdout", opt.holdout);
    add_number(&m, "loglik", t->metrics[i].loglik);
    if (!isnan(t->metrics[i].perplexity)) add_number(&m, "perplexity", t->metrics[i].perplexity);
    return grn_lowrank_save(l, path, m.pair, m.n, grn_common.pool);
}

/* Every model into its folder. The one to go on with is `chosen`, which comes last. */
static grn_status save_all(const grn_corpus_t *c, grn_topics_t *t, size_t chosen, grn_lowrank_t *l)
{
    grn_status rc = GRN_OK;
    grn_str_t path = { 0 };
    for (size_t i = 0; opt.models && i < t->n; i++) {
        path.n = 0;
        GRN_TRY(grn_str_printf(&path, "%s/topics.K%u.tensor.zst", opt.models, t->metrics[i].K));
        GRN_TRY(save_model(c, t, i, path.s, l));
        t->model[i].theta = l->theta; /* given back */
        t->model[i].phi = l->phi;
        l->theta = l->phi = NULL;
        grn_lowrank_clear(l);
    }
    GRN_TRY(save_model(c, t, chosen, opt.output, l));
end:
    grn_str_clear(&path);
    return rc;
}

static grn_status write_sets(const grn_lowrank_t *l)
{
    grn_status rc = GRN_OK;
    for (size_t i = 0; opt.region_sets && i < opt.binarize.n; i++) {
        size_t k = 0;
        while (strcmp(rule_word[k], opt.binarize.v[i]) != 0) k++;
        GRN_TRY(grn_topics_write_sets(l, opt.region_sets, (grn_binarize)k, rule_word[k], (size_t)opt.ntop, grn_common.pool));
    }
    if (opt.cell_sets) GRN_TRY(grn_topics_write_cells(l, opt.cell_sets, grn_common.pool));
end:
    return rc;
}

static grn_status run_lda(const grn_corpus_t *c, const uint32_t *K, size_t n)
{
    grn_status rc = GRN_OK;
    grn_topics_t t = { 0 };
    grn_lowrank_t l = { 0 };
    grn_topics_opt_t o = { .lda = { 0, (uint32_t)opt.sweeps, (uint32_t)opt.average, opt.alpha, opt.eta, grn_common.seed },
                           .K = K,
                           .n_K = n,
                           .replicates = (uint32_t)opt.replicates };
    settle_alpha(c);
    o.lda.alpha = opt.alpha;
    if (opt.models) GRN_TRY(grn_outdir_make(opt.models));
    GRN_TRY(grn_topics_fit(c, &o, grn_common.pool, &t));
    say_choice(&t);
    if (opt.metrics) GRN_TRY(grn_topics_write_metrics(&t, opt.metrics, grn_common.pool));
    if (opt.qc) GRN_TRY(grn_topics_write_qc(&t.model[t.frugal], &t.metrics[t.frugal], opt.qc));
    GRN_TRY(save_all(c, &t, t.frugal, &l));
    GRN_TRY(write_sets(&l));
end:
    grn_lowrank_clear(&l);
    grn_topics_clear(&t);
    return rc;
}

static grn_status run_lsi(const grn_corpus_t *c, uint32_t K)
{
    grn_status rc = GRN_OK;
    grn_lsi_t s = { 0 };
    grn_lowrank_t l = { 0 };
    grn_lsi_opt_t o = GRN_LSI_OPT_INIT;
    o.K = K + (opt.drop_depth ? 1 : 0);
    o.seed = grn_common.seed;
    GRN_TRY(grn_lsi_fit(c, &o, grn_common.pool, &s));
    if (s.K < o.K) grn_log_warn("the matrix has %u components, %u were asked for", s.K, o.K);
    grn_log_info("singular values %.4g to %.4g", s.sigma[0], s.sigma[s.K - 1]);
    for (uint32_t k = 0; k < s.K; k++)
        if (fabs(s.depth_cor[k]) > 0.75)
            grn_log_warn("component %u goes with the depth of the cells (r = %.3f)%s", k + 1, s.depth_cor[k],
                         k == 0 && !opt.drop_depth ? "; --drop-depth leaves it out" : "");
    if (opt.drop_depth && s.K < 2) GRN_FAIL(GRN_EEMPTY, "no component is left");
    GRN_TRY(grn_topics_lowrank_lsi(c, &s, opt.drop_depth, &l));
    GRN_TRY(grn_lowrank_save(&l, opt.output, NULL, 0, grn_common.pool));
end:
    grn_lowrank_clear(&l);
    grn_lsi_clear(&s);
    return rc;
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    grn_corpus_t c = { 0 };
    grn_counts_opt_t input;
    uint32_t K[MAX_SIZES];
    size_t n = 0;
    int is_lsi = opt.method[1] == 's';
    GRN_TRY(parse_sizes(opt.topics, K, &n));
    GRN_TRY(check_options(n));
    GRN_TRY(grn_counts_cli(&opt.input, &input));
    GRN_TRY(grn_corpus_load(args->v[0], &input, is_lsi ? 0 : opt.holdout, grn_common.seed, grn_common.pool, &c));
    say_corpus(&c);
    GRN_TRY(is_lsi ? run_lsi(&c, K[0]) : run_lda(&c, K, n));
end:
    grn_corpus_clear(&c);
    return rc;
}

const grn_subtool_t grn_build_topics = {
    .tool = { .name = "grn-build topics",
              .brief = "latent topics of accessibility: cells x topics and topics x regions",
              .usage = "[options] MATRIX",
              .opt = table,
              .min_args = 1,
              .max_args = 1,
              .examples = "  grn-build topics -k 40 atac.tensor.zst -o topics.tensor.zst --region-sets region_sets\n"
                          "  grn-build topics -k 10,20,30,40,50 --metrics metrics.tensor.zst atac.tensor.zst -o topics.tensor.zst\n"
                          "  grn-build topics --method lsi -k 30 --drop-depth atac.tensor.zst -o lsi.tensor.zst\n" },
    .run = run,
};
