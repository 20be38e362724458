# Every source file, one a line, by room in dependency order: this list is the architecture.
# base < io, stat < graph < nn < cuda < model < tools; a file includes only from its own room or rooms to the left.
LIB += lib/base/err.c
LIB += lib/base/mem.c
LIB += lib/base/str.c
LIB += lib/base/names.c
LIB += lib/base/rng.c
LIB += lib/base/par.c
LIB += lib/base/file.c
LIB += lib/base/log.c
LIB += lib/base/opt.c
LIB += lib/base/version.c
# io: the container, matrices, edges; the field's formats
LIB += lib/io/fragments.c
LIB += lib/io/tflist.c
LIB += lib/io/adjacency.c
LIB += lib/io/gmt.c
LIB += lib/io/motif2tf.c
LIB += lib/io/motifs.c
LIB += lib/io/fasta.c
LIB += lib/io/gtf.c
LIB += lib/io/bed.c
LIB += lib/io/chrom.c
LIB += lib/io/table.c
LIB += lib/io/prov.c
LIB += lib/io/dtype.c
LIB += lib/io/container_header.c
LIB += lib/io/container_write.c
LIB += lib/io/container_read.c
LIB += lib/io/matrix.c
LIB += lib/io/matrix_save.c
LIB += lib/io/matrix_stream.c
LIB += lib/io/text.c
LIB += lib/io/h5.c
LIB += lib/io/h5_out.c
LIB += lib/io/h5ad_write.c
LIB += lib/io/tenx_write.c
LIB += lib/io/raw.c
LIB += lib/io/h5_sparse.c
LIB += lib/io/labels.c
LIB += lib/io/tenx.c
LIB += lib/io/h5ad.c
LIB += lib/io/loom.c
LIB += lib/io/mtx.c
LIB += lib/io/counts_text.c
LIB += lib/io/counts.c
LIB += lib/io/edges.c
LIB += lib/io/activity.c
LIB += lib/io/result.c

# stat: ranks, correlation, FDR, mixtures, curves
LIB += lib/stat/curve.c
LIB += lib/stat/rank.c
LIB += lib/stat/corr.c
LIB += lib/stat/fdr.c
LIB += lib/stat/density.c
LIB += lib/stat/dip.c
LIB += lib/stat/mixture.c
LIB += lib/stat/threshold.c

# graph: CSR graphs, masks, sampling, perturbation
LIB += lib/graph/arcs.c
LIB += lib/graph/regulation.c
LIB += lib/graph/perturb.c
LIB += lib/graph/csr.c
LIB += lib/graph/sample.c

# nn: op table, CPU backend, layers, optimizer
LIB += lib/nn/dev.c
LIB += lib/nn/op_cpu.c
LIB += lib/nn/op_cpu_f32.c
LIB += lib/nn/op_cpu_f32_avx2.c
LIB += lib/nn/op_cpu_f64.c
LIB += lib/nn/param.c
LIB += lib/nn/optim.c

# model: backbone, graph encoder, fusion, heads
LIB += lib/model/config.c
LIB += lib/model/tokens.c
LIB += lib/model/cells.c
LIB += lib/model/batch.c
LIB += lib/model/layer.c
LIB += lib/model/block.c
LIB += lib/model/gnn.c
LIB += lib/model/fusion.c
LIB += lib/model/model.c
LIB += lib/model/model_file.c

# tools: TOOL += name, then name += its files
TOOL += grn-build
grn-build += tools/grn-build/main.c
grn-build += tools/grn-build/count.c
grn-build += tools/grn-build/tally.c
grn-build += tools/grn-build/scan.c
grn-build += tools/grn-build/pwm.c
grn-build += tools/grn-build/hits.c
TOOL += grn-eval
grn-eval += tools/grn-eval/main.c
grn-eval += tools/grn-eval/shared.c
grn-eval += tools/grn-eval/pearson.c
grn-eval += tools/grn-eval/network.c
grn-eval += tools/grn-eval/activity.c
grn-eval += tools/grn-eval/report.c
TOOL += grn-plot
grn-plot += tools/grn-plot/main.c
grn-plot += tools/grn-plot/figure.c
grn-plot += tools/grn-plot/tables.c
grn-plot += tools/grn-plot/loss.c
grn-plot += tools/grn-plot/network.c
grn-plot += tools/grn-plot/activity.c
grn-plot += tools/grn-plot/attention.c
TOOL += grn-sim
grn-sim += tools/grn-sim/main.c
grn-sim += tools/grn-sim/design.c
grn-sim += tools/grn-sim/layout.c
grn-sim += tools/grn-sim/rates.c
grn-sim += tools/grn-sim/motif.c
grn-sim += tools/grn-sim/cells.c
grn-sim += tools/grn-sim/genome.c
grn-sim += tools/grn-sim/counts.c
grn-sim += tools/grn-sim/fragments.c
grn-sim += tools/grn-sim/tables.c
grn-sim += tools/grn-sim/truth.c

TOOL += grn-aucell
grn-aucell += tools/grn-aucell/main.c
grn-aucell += tools/grn-aucell/rss.c
grn-aucell += tools/grn-aucell/score.c
grn-aucell += tools/grn-aucell/sets.c

TOOL += grn-threshold
grn-threshold += tools/grn-threshold/main.c
grn-threshold += tools/grn-threshold/fit.c
grn-threshold += tools/grn-threshold/table.c
grn-build += tools/grn-build/cells.c
grn-build += tools/grn-build/columns.c
grn-build += tools/grn-build/funnel.c
grn-build += tools/grn-build/search.c
grn-build += tools/grn-build/tfsites.c
grn-build += tools/grn-build/link.c
grn-build += tools/grn-build/link_cli.c
grn-build += tools/grn-build/regulon.c
grn-build += tools/grn-build/regulon_cli.c

# unit tests: one per library file; NAME_WITH += files of a tool that the test needs
UNIT += test_bed
UNIT += test_fragments
UNIT += test_gtf
UNIT += test_motifs
UNIT += test_base
UNIT += test_edges
UNIT += test_graph
UNIT += test_text
UNIT += test_tokens
UNIT += test_curve
UNIT += test_corr
UNIT += test_op_grad
UNIT += test_op
UNIT += test_mixture
UNIT += test_aucell
test_aucell_WITH += tools/grn-aucell/sets.c tools/grn-aucell/score.c tools/grn-aucell/rss.c
UNIT += test_container
UNIT += test_matrix
UNIT += test_counts
UNIT += test_formats
