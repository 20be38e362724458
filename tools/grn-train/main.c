/* grn-train: trains a GRN-aware RNA model by masked-value prediction. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/str.h"
#include "grn-train/train.h"
#include "model/input.h"

static struct {
    const char *edges, *activity, *coexpr, *out, *log, *resume, *grn, *perturb, *mask, *direction, *split;
    int64_t min_cells;
    uint64_t split_seed;
    double test, validation;
    grn_train_opt_t train;
    grn_model_config_t model;
    grn_counts_cli_t counts;
} opt = { .out = "-",
          .grn = "hybrid",
          .perturb = "coexpr",
          .mask = "mix",
          .direction = "both",
          .split = "auto",
          .min_cells = 3,
          .split_seed = 1,
          .test = 0.15,
          .validation = 0.1,
          .train = { .batch = 16,
                     .epochs = 0,
                     .rows = 10,
                     .val_cells = 256,
                     .lr = 2e-3,
                     .warmup = 0.1,
                     .decay = 0.01,
                     .clip = 1 },
          .counts = GRN_COUNTS_CLI_INIT };

static const grn_opt_t table[] = {
    GRN_OPT_HEAD("Input"),
    GRN_OPT_STR('e', "edges", "FILE", &opt.edges, "regulons (grn.edges); not needed with --grn none"),
    GRN_OPT_STR('a', "activity", "FILE", &opt.activity,
                "which regulon is on in which cell; needed with --grn cell, hybrid"),
    GRN_OPT_STR(0, "coexpr", "FILE", &opt.coexpr, "co-expression links to perturb with [all pairs of visible genes]"),
    GRN_OPT_INT(0, "min-cells", "INT", &opt.min_cells, 1, 1e12, "genes with counts in fewer cells are left out"),
    GRN_COUNTS_OPTIONS(opt.counts),
    GRN_OPT_HEAD("Output"),
    GRN_OPT_STR('o', "output", "FILE", &opt.out, "the trained model"),
    GRN_OPT_STR(0, "log", "FILE", &opt.log, "losses as TSV"),
    GRN_OPT_INT(0, "rows", "INT", &opt.train.rows, 1, 1000000, "rows of the log: validations over the run"),
    GRN_OPT_STR(0, "checkpoint", "FILE", &opt.train.checkpoint, "state to resume from, rewritten as training goes"),
    GRN_OPT_INT(0, "every", "INT", &opt.train.every, 0, 1e12, "steps between checkpoints; 0: only with --stop"),
    GRN_OPT_STR(0, "resume", "FILE", &opt.resume, "go on from a checkpoint, with the options it was made with"),
    GRN_OPT_INT(0, "stop", "INT", &opt.train.stop, 0, 1e12,
                "write a checkpoint and end after this step; 0: train to the end"),
    GRN_OPT_HEAD("Model"),
    GRN_OPT_ENUM(0, "grn", "none|random|type|cell|hybrid", &opt.grn, "which network the model sees"),
    GRN_OPT_ENUM(0, "perturb", "none|random|coexpr", &opt.perturb, "where links added in training come from"),
    GRN_OPT_FLT(0, "alpha", "FLOAT", &opt.model.alpha, 0, 1, "share of the links replaced in training"),
    GRN_OPT_FLT(0, "beta", "FLOAT", &opt.model.beta, -1e6, 1e6, "weight of the network in the fusion"),
    GRN_OPT_INT(0, "fanout", "INT", &opt.model.fanout, 0, 1000000, "neighbours sampled per node and layer; 0: all"),
    GRN_OPT_ENUM(0, "direction", "both|in|out", &opt.direction, "along which links genes hear of each other"),
    GRN_OPT_INT(0, "dim", "INT", &opt.model.dim, 1, 65536, "width"),
    GRN_OPT_INT(0, "layers", "INT", &opt.model.layers, 2, 1000, "layers, the last one being the fusion"),
    GRN_OPT_INT(0, "heads", "INT", &opt.model.heads, 1, 1024, "attention heads"),
    GRN_OPT_INT(0, "ffn", "INT", &opt.model.ffn, 1, 262144, "feed-forward width"),
    GRN_OPT_INT(0, "tokens", "INT", &opt.model.tokens, 3, 65536, "longest sequence, <cls> included"),
    GRN_OPT_INT(0, "bins", "INT", &opt.model.bins, 3, 4096, "expression bins, 0 included"),
    GRN_OPT_FLT(0, "zeros", "FLOAT", &opt.model.zeros, 0, 0.9, "share of tokens that are genes without a count"),
    GRN_OPT_STR(0, "mask", "mix|FLOAT", &opt.mask, "share of genes hidden; mix: 0.25, 0.5 or 0.75 by cell"),
    GRN_OPT_FLT(0, "dropout", "FLOAT", &opt.model.dropout, 0, 0.95, "dropout of the backbone"),
    GRN_OPT_HEAD("Training"),
    GRN_OPT_INT(0, "epochs", "INT", &opt.train.epochs, 0, 1000000, "passes over the training cells; 0: 5, or what shows 20,000"),
    GRN_OPT_INT(0, "steps", "INT", &opt.train.steps, 0, 1e12, "steps instead of epochs; 0: epochs decide"),
    GRN_OPT_INT('b', "batch", "INT", &opt.train.batch, 1, 1000000, "cells per step"),
    GRN_OPT_FLT(0, "lr", "FLOAT", &opt.train.lr, 0, 10, "largest learning rate"),
    GRN_OPT_FLT(0, "warmup", "FLOAT", &opt.train.warmup, 0, 1,
                "share of the steps with rising learning rate; cosine after"),
    GRN_OPT_FLT(0, "decay", "FLOAT", &opt.train.decay, 0, 10, "AdamW weight decay"),
    GRN_OPT_FLT(0, "clip", "FLOAT", &opt.train.clip, 0, 1e9, "largest gradient norm; 0: no clipping"),
    GRN_OPT_ENUM(0, "split", "auto|cell|donor", &opt.split, "what is held out; auto: donors if there are 3"),
    GRN_OPT_FLT(0, "test", "FLOAT", &opt.test, 0, 0.9, "share never looked at here, for grn-eval"),
    GRN_OPT_FLT(0, "validation", "FLOAT", &opt.validation, 0, 0.9, "share for the validation loss"),
    GRN_OPT_U64(0, "split-seed", "INT", &opt.split_seed, "seed of the split: the same cells for every --seed"),
    GRN_OPT_INT(0, "val-cells", "INT", &opt.train.val_cells, 0, 1e12, "at most so many cells in a validation"),
    GRN_OPT_END
};

/* Words and numbers that the table cannot check. */
static grn_status read_options(void)
{
    grn_status rc = GRN_OK;
    opt.model.seed = grn_common.seed;
    GRN_TRY(grn_grn_parse(opt.grn, &opt.model.grn));
    GRN_TRY(grn_perturb_parse(opt.perturb, &opt.model.perturb));
    if (opt.model.perturb == GRN_PERTURB_COEXPR && opt.coexpr) opt.model.perturb = GRN_PERTURB_LIST;
    opt.model.direction = strcmp(opt.direction, "in") == 0    ? GRN_DIR_IN
                          : strcmp(opt.direction, "out") == 0 ? GRN_DIR_OUT
                                                              : GRN_DIR_BOTH;
    if (strcmp(opt.mask, "mix") == 0) opt.model.mask = 0;
    else if (grn_parse_f64(opt.mask, &opt.model.mask) != GRN_OK || !(opt.model.mask > 0 && opt.model.mask < 1))
        GRN_FAIL(GRN_EUSAGE, "--mask is 'mix' or a number between 0 and 1, not '%s'", opt.mask);
    if (opt.test + opt.validation >= 1) GRN_FAIL(GRN_EUSAGE, "--test and --validation leave no cells to train on");
    if (opt.model.grn != GRN_GRN_NONE && !opt.edges) GRN_FAIL(GRN_EUSAGE, "--grn %s needs the regulons: -e FILE", opt.grn);
    if ((opt.model.grn == GRN_GRN_CELL || opt.model.grn == GRN_GRN_HYBRID) && !opt.activity)
        GRN_FAIL(GRN_EUSAGE, "--grn %s needs the activity of regulons: -a FILE", opt.grn);
    if ((opt.train.stop > 0 || opt.train.every > 0) && !opt.train.checkpoint)
        GRN_FAIL(GRN_EUSAGE, "--stop and --every need --checkpoint FILE");
    rc = grn_model_config_check(&opt.model);
    if (rc != GRN_OK) rc = grn_err_prefix(GRN_EUSAGE, "options");
end:
    return rc == GRN_EINVAL ? GRN_EUSAGE : rc;
}

static void report_cells(const grn_cells_t *c, const grn_split_t *s)
{
    grn_log_info("%zu cells (%zu train, %zu validation, %zu test, split by %s), %zu genes", c->n, s->n[GRN_PART_TRAIN],
                 s->n[GRN_PART_VALIDATION], s->n[GRN_PART_TEST], s->by == GRN_SPLIT_DONOR ? "donor" : "cell", c->n_genes);
    if (!c->has_graph) return;
    grn_log_info("%llu links in %zu contexts, %zu regulons; left out: %zu with a gene that is not in the counts, %zu of a "
                 "TF to itself",
                 (unsigned long long)c->reg.context_off[c->reg.contexts.n], c->reg.contexts.n, c->reg.regulons.n,
                 c->reg.n_outside, c->reg.n_self);
    if (c->mask.n_no_context > 0) grn_log_warn("%zu cells are of a type without links", c->mask.n_no_context);
    if (c->mask.n_no_activity > 0)
        grn_log_warn("%zu cells are not in the activity file: they have no graph of their own", c->mask.n_no_activity);
    if (c->mask.n_no_regulon > 0) grn_log_warn("%zu regulons are not in the activity file: never on", c->mask.n_no_regulon);
}

typedef struct { /* everything loaded */
    grn_model_input_t data;
    grn_split_t split;
} input_t;

static void clear_input(input_t *in)
{
    grn_split_clear(&in->split);
    grn_model_input_clear(&in->data);
}

static grn_status load_input(const char *counts, input_t *in)
{
    grn_status rc = GRN_OK;
    grn_model_files_t files = { counts, opt.edges, opt.activity, opt.coexpr };
    grn_split_by by = strcmp(opt.split, "cell") == 0    ? GRN_SPLIT_CELL
                      : strcmp(opt.split, "donor") == 0 ? GRN_SPLIT_DONOR
                                                        : GRN_SPLIT_AUTO;
    GRN_TRY(grn_model_input_load(&in->data, &files, &opt.counts, &opt.model, (uint64_t)opt.min_cells, grn_common.pool));
    GRN_TRY(grn_split_build(&in->split, &in->data.m, by, opt.split_seed, opt.test, opt.validation));
    report_cells(&in->data.cells, &in->split);
end:
    return rc;
}

/* A fresh model, its baselines fitted on the training cells. */
static grn_status make_model(const input_t *in, grn_dev_t *dev, grn_model_t **m)
{
    grn_status rc = GRN_OK;
    grn_baseline_t base = { 0 };
    uint32_t *train = NULL;
    size_t n;
    GRN_TRY(grn_split_cells(&in->split, in->data.cells.m, GRN_PART_TRAIN, &train, &n));
    GRN_TRY(grn_baseline_fit(&base, &opt.model, &in->data.cells, train, n, 2));
    GRN_TRY(grn_model_create(m, dev, &opt.model, &in->data.genes, base.mean));
    (*m)->base = base;
    base = (grn_baseline_t){ 0 };
    GRN_TRY(grn_split_json(&in->split, &(*m)->split));
end:
    grn_baseline_clear(&base);
    free(train);
    return rc;
}

/* The model of a checkpoint; it must be this run's model. */
static grn_status load_checkpoint(const input_t *in, grn_dev_t *dev, grn_cr_t *r, grn_model_t **m)
{
    grn_status rc = GRN_OK;
    char *mine = NULL, *theirs = NULL, *split = NULL;
    GRN_TRY(grn_model_load_from(m, dev, r, 1));
    GRN_TRY(grn_model_config_json(&opt.model, &mine));
    GRN_TRY(grn_model_config_json(&(*m)->cfg, &theirs));
    GRN_TRY(grn_split_json(&in->split, &split));
    GRN_TRY(grn_train_same_options(opt.resume, theirs, mine));
    if (!grn_names_equal(&(*m)->genes, &in->data.genes)) {
        GRN_FAIL(GRN_ESHAPE, "'%s' has other genes (%zu) than the counts (%zu)", opt.resume, (*m)->genes.n, in->data.genes.n);
    }
    if (!(*m)->split || strcmp((*m)->split, split) != 0)
        GRN_FAIL(GRN_EINVAL, "'%s' was trained on another split of the cells", opt.resume);
end:
    free(mine);
    free(theirs);
    free(split);
    return rc;
}

static void report_losses(const grn_train_t *t)
{
    const double *x;
    if (t->n_row == 0) return;
    x = t->row[t->n_row - 1].x;
    if (isnan(x[GRN_LOG_VAL])) {
        grn_log_info("step %lld: train loss %.3f (no validation cells)", (long long)t->model->step, x[GRN_LOG_TRAIN]);
        return;
    }
    grn_log_info("step %lld: validation loss %.3f; gene mean %.3f, gene mean of the cell type %.3f (mean squared error in "
                 "bins, %zu cells)",
                 (long long)x[GRN_LOG_STEP], x[GRN_LOG_VAL], x[GRN_LOG_GENE], x[GRN_LOG_TYPE], t->n_val);
    if (t->model->step == t->total && x[GRN_LOG_VAL] >= fmin(x[GRN_LOG_GENE], x[GRN_LOG_TYPE])) {
        grn_log_warn("the model is no better than a mean: train longer (--epochs) or with more cells");
    }
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    input_t in = { 0 };
    grn_dev_t *dev = NULL;
    grn_model_t *m = NULL;
    grn_cr_t *resume = NULL;
    grn_train_t train = { 0 };
    GRN_TRY(read_options());
    GRN_TRY(grn_dev_open(&dev, grn_common.device, grn_common.pool));
    GRN_TRY(load_input(args->v[0], &in));
    if (opt.resume) {
        GRN_TRY(grn_cr_open(&resume, opt.resume, grn_common.pool));
        GRN_TRY(load_checkpoint(&in, dev, resume, &m));
    } else {
        GRN_TRY(make_model(&in, dev, &m));
    }
    GRN_TRY(grn_train_init(&train, &opt.train, m, &in.data.cells, &in.split, grn_common.pool));
    if (opt.resume) GRN_TRY(grn_train_resume(&train, resume));
    grn_log_info("%s model, %lld parameters, %lld steps of %lld cells on %s", opt.grn,
                 (long long)grn_params_count(&m->params), (long long)train.total, (long long)opt.train.batch,
                 grn_dev_name(dev));
    GRN_TRY(grn_train_run(&train));
    report_losses(&train);
    if (opt.log) GRN_TRY(grn_train_write_log(&train, opt.log));
    if (m->step < train.total)
        grn_log_info("stopped at step %lld of %lld; no model yet: go on with --resume %s", (long long)m->step,
                     (long long)train.total, opt.train.checkpoint);
    else GRN_TRY(grn_train_save(&train, opt.out, 0));
end:
    grn_train_clear(&train);
    grn_cr_close(resume);
    grn_model_destroy(m);
    clear_input(&in);
    grn_dev_close(dev);
    return rc;
}

int main(int argc, char **argv)
{
    /* a run in pieces makes the model of a run without a break */
    static const char *const pieces[] = { "checkpoint", "every", "stop", "resume", NULL };
    static const grn_tool_t tool = {
        "grn-train",
        "train a GRN-aware RNA model by masked-value prediction",
        "[options] COUNTS",
        table,
        1,
        1,
        "  grn-train -e regulons.edges.zst -a active.tensor.zst counts.h5ad -o model.tensor.zst --log loss.tsv\n"
        "  grn-train --grn none counts.h5ad -o baseline.tensor.zst\n"
    };
    grn_tool_unrecorded(pieces);
    grn_model_config_init(&opt.model);
    return grn_tool_main(&tool, argc, argv, run);
}
