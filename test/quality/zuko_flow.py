"""Fits a flow of zuko's for a time and scores the test rows.

    python3 zuko_flow.py FOLDER SCORES.csv SECONDS SEED nsf|nsf-ar|maf

FOLDER holds train.npy, valid.npy and test.npy. Five transforms with two hidden layers of 128: coupling
splines of eight bins (zuko's NSF with passes=2), autoregressive ones (its NSF), or affine
autoregressive ones (its MAF). Adam with a learning rate of 1e-3 that
falls along a cosine over the time, batches of 256, the weights of the best validation loss: the
recipe of our own fit's defaults. The clock runs over steps and validation, not over imports.
"""
import copy
import math
import os
import sys
import time

if os.path.exists("/proc/cpuinfo"):
    with open("/proc/cpuinfo") as info:
        if " avx512f " in info.read():
            # A BLAS from before the processor may pick its oldest kernels.
            os.environ.setdefault("OPENBLAS_CORETYPE", "SkylakeX")

import numpy
import torch
import zuko

folder, scores, seconds, seed = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
kind = sys.argv[5]
BATCH, RATE = 256, 1e-3
torch.set_num_threads(1)
torch.manual_seed(seed)
train, valid, test = (torch.from_numpy(numpy.load(os.path.join(folder, part + ".npy"))).float()
                      for part in ("train", "valid", "test"))
size = {"transforms": 5, "hidden_features": (128, 128)}
if kind == "maf":
    flow = zuko.flows.MAF(train.shape[1], **size)
else:
    flow = zuko.flows.NSF(train.shape[1], bins=8, **size, **({"passes": 2} if kind == "nsf" else {}))


def log_prob(x):
    """Rows' log densities, without gradient."""
    with torch.no_grad():
        return torch.cat([flow().log_prob(part) for part in x.split(2000)])


optimizer = torch.optim.Adam(flow.parameters(), RATE)
best, best_state, steps, begin = -math.inf, copy.deepcopy(flow.state_dict()), 0, time.perf_counter()
spent = 0.0
while spent < 1:
    for rows in torch.randperm(len(train)).split(BATCH):
        spent = (time.perf_counter() - begin) / seconds
        if spent >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = RATE * 0.5 * (1 + math.cos(math.pi * spent))
        optimizer.zero_grad(set_to_none=True)
        loss = -flow().log_prob(train[rows]).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(flow.parameters(), 10)
        optimizer.step()
        steps += 1
    held = log_prob(valid).mean().item()
    if held > best:
        best, best_state = held, copy.deepcopy(flow.state_dict())
flow.load_state_dict(best_state)
print("zuko %s, torch %s: %d steps in %.0f s, validation %.4f"
      % (zuko.__version__, torch.__version__, steps, time.perf_counter() - begin, best))
with open(scores, "w") as f:
    f.write("log_prob\n" + "".join("%.9g\n" % v for v in log_prob(test).tolist()))
