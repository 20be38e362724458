#!/usr/bin/env python3
"""Golden values of the model: the same tiny network in PyTorch, written the plain way (one cell at a time, dense adjacency matrices,
nothing shared between graphs), with inputs and fixed parameters, in double. Writes tests/parity/golden_model.txt; the unit test
test_model compares forward outputs, loss and the gradient of every parameter with it and needs no Python.

    python3 tests/parity/golden_model.py > tests/parity/golden_model.txt

Formulas: SPEC_MODEL 1.2, 1.3 (post-norm, ReLU, no positions), 5.1 (SAGEConv mean), 6 (cross-attention on LN(h_struct), keys = gene
tokens). A line of the file is: name, number of values, values.
"""
import sys

import numpy as np
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
D, HEADS, FFN, LAYERS, GENES, CELLS, BINS = 4, 2, 6, 3, 10, 3, 51
BETA = 0.7

COUNTS = np.zeros((CELLS, GENES))
COUNTS[0, [0, 1, 2, 4, 5, 8]] = [3, 11, 1, 7, 2, 30]
COUNTS[1, [1, 2, 3, 6, 7, 8, 9]] = [5, 9, 2, 1, 14, 3, 40]
COUNTS[2, [0, 4, 9]] = [2, 8, 5]
MASKED = [1, 4, 8]
# context, regulon, tf, gene
EDGES = [(0, 0, 0, 1), (0, 0, 0, 2), (0, 0, 0, 4), (0, 1, 3, 5), (0, 1, 3, 1), (0, 2, 1, 0), (1, 0, 0, 3), (1, 2, 1, 6), (1, 2, 1, 7), (1, 1, 3, 8)]
CONTEXT = [0, 1, 0]
ON = np.array([[1, 0, 1], [1, 1, 0], [0, 0, 0]])


def bins_of(row):
    nz = row[row > 0]
    edges = np.quantile(nz, np.linspace(0, 1, BINS - 1))
    left, right = np.searchsorted(edges, row, "left"), np.searchsorted(edges, row, "right")
    assert np.all((right - left)[row > 0] <= 1), "a tie would be random"
    return np.where(row > 0, right, 0)


def parameters(hybrid):
    shape = {"encoder.embedding.weight": (GENES + 2, D)}
    norm = lambda name: shape.update({name + ".weight": (D,), name + ".bias": (D,)})
    linear = lambda name, o, i, b=True: shape.update({name + ".weight": (o, i), **({name + ".bias": (o,)} if b else {})})
    norm("encoder.enc_norm")
    linear("value_encoder.linear1", D, 1)
    linear("value_encoder.linear2", D, D)
    norm("value_encoder.norm")
    for i in range(LAYERS - hybrid):
        p = f"transformer_encoder.layers.{i}."
        linear(p + "self_attn.Wqkv", 3 * D, D)
        linear(p + "self_attn.out_proj", D, D)
        linear(p + "linear1", FFN, D)
        linear(p + "linear2", D, FFN)
        norm(p + "norm1")
        norm(p + "norm2")
    for i, o in ((0, D), (2, D), (4, 1)):
        linear(f"decoder.fc.{i}", o, D)
    if hybrid:
        for i in range(2):
            linear(f"gnn.layers.{i}.lin_l", D, D)
            linear(f"gnn.layers.{i}.lin_r", D, D, False)
        for n in ("q_proj", "k_proj", "v_proj", "out_proj"):
            linear("fusion." + n, D, D)
        norm("fusion.norm")
    out = {}
    for k, name in enumerate(sorted(shape)):
        n = int(np.prod(shape[name]))
        w = 0.6 * np.sin(1.0 + 0.37 * np.arange(n) + 1.3 * k)
        if "norm" in name and name.endswith("weight"):
            w = 1 + 0.3 * w
        out[name] = torch.tensor(w.reshape(shape[name]), requires_grad=True)
    return out


def run(hybrid):
    P = parameters(hybrid)
    lin = lambda x, n: F.linear(x, P[n + ".weight"], P.get(n + ".bias"))
    ln = lambda x, n: F.layer_norm(x, (D,), P[n + ".weight"], P[n + ".bias"], 1e-5)
    gene_features = ln(P["encoder.embedding.weight"], "encoder.enc_norm")
    split = lambda x: x.reshape(len(x), HEADS, D // HEADS).transpose(0, 1)
    attend = lambda q, k, v: F.scaled_dot_product_attention(split(q), split(k), split(v)).transpose(0, 1).reshape(len(q), D)

    def sage(edges):
        A = torch.zeros(GENES, GENES)
        for u, v in edges:
            A[u, v] = A[v, u] = 1
        A = A / A.sum(1, keepdim=True).clamp(min=1)
        h = gene_features[:GENES]
        for i in range(2):
            h = F.linear(A @ h, P[f"gnn.layers.{i}.lin_l.weight"], P[f"gnn.layers.{i}.lin_l.bias"]) + F.linear(h, P[f"gnn.layers.{i}.lin_r.weight"])
            h = F.relu(h) if i == 0 else h
        return h

    preds, targets, masses = [], [], []
    for c in range(CELLS):
        genes = np.flatnonzero(COUNTS[c])
        bins = bins_of(COUNTS[c])[genes]
        masked = np.isin(genes, MASKED)
        value = torch.tensor(np.concatenate([[-2.0], np.where(masked, -1, bins)]))
        ids = torch.tensor(np.concatenate([[GENES + 1], genes]))
        x = gene_features[ids] + ln(lin(F.relu(lin(value[:, None], "value_encoder.linear1")), "value_encoder.linear2"), "value_encoder.norm")
        for i in range(LAYERS - hybrid):
            p = f"transformer_encoder.layers.{i}."
            q, k, v = lin(x, p + "self_attn.Wqkv").chunk(3, dim=1)
            x = ln(x + lin(attend(q, k, v), p + "self_attn.out_proj"), p + "norm1")
            x = ln(x + lin(F.relu(lin(x, p + "linear1")), p + "linear2"), p + "norm2")
        if hybrid:
            typ = {(t, g) for ctx, r, t, g in EDGES if ctx == CONTEXT[c]}
            cell = {(t, g) for ctx, r, t, g in EDGES if ctx == CONTEXT[c] and ON[c][r]}
            s = ln((sage(cell) + sage(typ))[genes], "fusion.norm")
            q, k = lin(x, "fusion.q_proj"), lin(s, "fusion.k_proj")
            prob = torch.softmax(split(q) @ split(k).transpose(1, 2) / (D // HEADS) ** 0.5, dim=2)
            masses.append(prob[:, 1:].mean((0, 1)))
            x = x + BETA * lin(attend(q, k, lin(s, "fusion.v_proj")), "fusion.out_proj")
        h = x[1:][masked]
        h = F.leaky_relu(lin(h, "decoder.fc.0"), 0.01)
        h = F.leaky_relu(lin(h, "decoder.fc.2"), 0.01)
        preds.append(lin(h, "decoder.fc.4")[:, 0])
        targets.append(torch.tensor(bins[masked], dtype=torch.float64))
    pred, target = torch.cat(preds), torch.cat(targets)
    loss = F.mse_loss(pred, target)
    loss.backward()
    tag = "hybrid" if hybrid else "none"
    put(tag + ".pred", pred.detach())
    put(tag + ".target", target)
    put(tag + ".loss", [loss.item()])
    if hybrid:
        put(tag + ".phi", torch.cat(masses).detach())
        put(tag + ".type1", sage({(t, g) for ctx, r, t, g in EDGES if ctx == 1}).detach())
    for name in sorted(P):
        put(f"{tag}.grad.{name}", P[name].grad)


def put(name, values):
    values = np.asarray(values, dtype=float).ravel()
    print(name, len(values), *(f"{v:.12g}" for v in values))


print(f"# torch {torch.__version__}, numpy {np.__version__}, python {sys.version.split()[0]}")
put("shape", [D, HEADS, FFN, LAYERS, GENES, CELLS, BINS])
put("beta", [BETA])
put("counts", COUNTS)
put("masked", MASKED)
put("edges", EDGES)
put("context", CONTEXT)
put("on", ON)
run(True)
run(False)
