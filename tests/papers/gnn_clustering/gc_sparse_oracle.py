"""The slides' model on PyTorch Geometric as a user would write it: edge lists, losses with trace and diag."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F
from torch_geometric.nn import ARMAConv, GATConv, GCNConv

ACT = {"silu": nn.SiLU(), "elu": nn.ELU(), "selu": nn.SELU(), "relu": nn.ReLU(), "none": nn.Identity()}


def weights_of(X, s):
    G = X @ X.T
    if s.objective == "ncut":
        return torch.where(G > 0, G, 0) / G.max()
    if s.objective == "cc":
        return G - G.max() / s.alpha
    unit = F.normalize(X, dim=1)
    return (unit @ unit.T > s.tau).to(X.dtype)


def loss_of(S, W, s):
    n, k = S.shape
    D = torch.diag(W.sum(dim=1))
    if s.objective == "cc":
        return -torch.trace(W @ S @ S.T)
    if s.objective == "ncut":
        cut = torch.trace(S.T @ W @ S) / torch.trace(S.T @ D @ S)
        joint = S.T @ S
        even = torch.eye(k, dtype=S.dtype)
        return -cut + torch.linalg.norm(joint / torch.linalg.norm(joint) - even / torch.linalg.norm(even))
    d = W.sum(dim=1)
    m2 = W.sum() * (2 if s.doubled else 1)
    B = W - torch.outer(d, d) / m2
    collapse = k**0.5 / n * torch.linalg.norm(S.sum(dim=0)) - 1
    return -torch.trace(S.T @ B @ S) / m2 + s.collapse * collapse


class Model(nn.Module):
    """With the first weights of one of our networks."""

    def __init__(self, d, s, ours):
        super().__init__()
        self.s = s
        if s.layer == "gcn":
            unnormalised = s.objective == "cc" and not s.positive_edges
            self.conv = GCNConv(d, s.hidden, normalize=not unnormalised)
        elif s.layer == "gat":
            self.conv = GATConv(d, s.hidden // s.heads, heads=s.heads)
        else:
            act = ACT[s.stack_activation]
            self.conv = ARMAConv(d, s.hidden, s.stacks, s.depth, act=act, dropout=s.root_dropout)
        self.inner, self.outer = nn.Linear(s.hidden, s.mlp), nn.Linear(s.mlp, s.clusters)
        self.to(torch.float64)
        with torch.no_grad():
            self._take(ours)

    def _take(self, ours):
        conv, mine = self.conv, ours.layer
        if self.s.layer == "arma":
            conv.init_weight.copy_(mine.weights[0][0])
            for step in range(1, self.s.depth):
                conv.weight[step - 1].copy_(mine.weights[step][0])
            for step in range(self.s.depth):
                conv.root_weight[step].copy_(mine.roots[step][0])
                conv.bias[step].copy_(mine.biases[step][0])
        else:
            conv.lin.weight.copy_(mine.weight[0].T)
            conv.bias.copy_(mine.bias[0, 0])
        if self.s.layer == "gat":
            conv.att_dst.copy_(mine.asking[0].transpose(0, 1))
            conv.att_src.copy_(mine.asked[0].transpose(0, 1))
        for linear, pair in ((self.inner, ours.inner), (self.outer, ours.outer)):
            linear.weight.copy_(pair[0][0].T)
            linear.bias.copy_(pair[1][0, 0])

    def forward(self, X, edges, weights):
        hidden = self.conv(X, edges) if self.s.layer == "gat" else self.conv(X, edges, weights)
        hidden = ACT[self.s.mlp_activation](self.inner(ACT[self.s.activation](hidden)))
        return self.outer(hidden).softmax(dim=1)


def train(X, s, ours):
    """Return the losses before each step and S after the last, for one picture's (n, d) features."""
    W = weights_of(X, s)
    passed = torch.where(W > 0, W, 0) if s.positive_edges else W
    edges = passed.nonzero().T.contiguous()
    model = Model(X.shape[1], s, ours)
    optimiser = torch.optim.AdamW(model.parameters(), lr=s.learning_rate, weight_decay=s.weight_decay)
    losses = []
    for _ in range(s.iterations):
        optimiser.zero_grad()
        loss = loss_of(model(X, edges, passed[edges[0], edges[1]]), W, s)
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    model.eval()
    return losses, model(X, edges, passed[edges[0], edges[1]]).detach()
