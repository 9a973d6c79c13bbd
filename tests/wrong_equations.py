# ruff: noqa: E501  (an equation is easier to read on one line)
"""Plausible wrong forms, thought up by hand by someone who did not write the checks.

For each numbered equation of a chapter: what a tired author might print instead. They are chosen to
agree by accident wherever an accident is possible: a transpose lost between square matrices, 1/B
with a batch of one, an index that is equal in name only, a limit off by one where the last term is
small, a derivative taken at a neighboring point, one remainder too good, a bound too wide.
"""

from __future__ import annotations

LAST = r"\odot \phi_L'(Z^{[L]})"
NEXT = r"\Delta^{[l+1]} W^{[l+1]\mathsf T}"

WRONG: dict[str, list[str]] = {
    # 00
    "eq-cube": [r"3 x", r"x^2", r"3 x^3"],
    "eq-layer-index": [
        r"\sum_{j=1}^{n_{l-1}} (a_j W_{jk} + b_k)", r"\sum_{j=1}^{n_l} a_j W_{jk} + b_k",
        r"\sum_{j=1}^{n_{l-1}} a_j W_{jj} + b_k", r"\sum_{j=1}^{n_{l-1}} a_j W_{jk} + b_j",
    ],
    "eq-layer-rows": [r"A W + b", r"A W + \mathbf 1 b", r"W A + \mathbf 1 b^{\mathsf T}", r"A W - \mathbf 1 b^{\mathsf T}"],
    "eq-transpose-rules": [
        r"(P Q)^{\mathsf T} = P^{\mathsf T} Q^{\mathsf T}",
        r"\langle G, P Q \rangle = \langle G P^{\mathsf T}, Q \rangle",
        r"\langle G, P Q \rangle = \langle Q^{\mathsf T} G, P \rangle",
    ],
    "eq-bar-dot": [r"\lVert \bar x \rVert^2", r"-\langle \bar x, \dot x \rangle"],
    # 01
    "eq-lin-multiplier": [r"f(x) + f'(x) \, p + O(p^3)", r"f(x) + f'(x + p) \, p + O(p^3)", r"f(x) + f(x) \, p + O(p^2)", r"f(p) + f'(x) \, p + O(p^2)"],
    "eq-lin-map": [r"f(x) + \mathsf J_f(x)^{\mathsf T} p + O(\lVert p \rVert^2)", r"f(x) + \mathsf J_f(x) \, p + O(\lVert p \rVert^3)"],
    "eq-lin-square": [r"X^2 + 2 X P + P^2", r"X^2 + X P + P^2"],
    "eq-lin-inverse": [
        r"X^{-1} + X^{-1} P X^{-1} + O(\lVert P \rVert^2)", r"X^{-1} - X^{-2} P + O(\lVert P \rVert^2)",
        r"X^{-1} - P X^{-2} + O(\lVert P \rVert^2)", r"X^{-1} - X^{-1} P X^{-1} + O(\lVert P \rVert^3)",
    ],
    "eq-lin-gradient": [r"\langle \nabla_x f(x), x \rangle", r"\sum_j \frac{\partial f(x)}{\partial x_j}"],
    "eq-lin-steepest": [
        r"\langle \nabla_x f(x), v \rangle \ge \lVert \nabla_x f(x) \rVert \, \lVert v \rVert",
        r"\langle \nabla_x f(x), v \rangle \le \lVert v \rVert",
        r"\langle \nabla_x f(x), v \rangle \le 2 \lVert \nabla_x f(x) \rVert \, \lVert v \rVert",
    ],
    "eq-lin-metric": [r"\bigl( M \nabla_x f(x) \bigr)^{\mathsf T} M \, v", r"\bigl( M^{-1} \nabla_x f(x) \bigr)^{\mathsf T} v"],
    "eq-fd-forward": [r"f'(x) + \frac{h}{2} f''(x) + O(h^3)", r"f'(x) - \frac{h}{2} f''(x) + O(h^2)", r"f'(x) + h f''(x) + O(h^2)"],
    "eq-fd-central": [r"f'(x) + \frac{h^2}{6} f'''(x) + O(h^5)", r"f'(x) + \frac{h^2}{3} f'''(x) + O(h^4)", r"f'(x) + \frac{h^2}{6} f''(x) + O(h^4)"],
    "eq-cs-quotient": [r"f'(x) + \frac{h^2}{6} f'''(x) + O(h^4)", r"f'(x) + O(h^3)"],
    # 02
    "eq-chain-scalar": [r"f'(x) \, g'(x)", r"f'(g(x)) + g'(x)", r"f'(g'(x))", r"g'(f(x)) \, f'(x)"],
    "eq-chain-paths": [
        r"\sum_{j=1}^{n} \frac{\partial z}{\partial y_j} \frac{\partial y_i}{\partial x_j}",
        r"\frac{\partial z}{\partial y_1} \frac{\partial y_1}{\partial x_i}",
        r"\sum_{j=1}^{n-1} \frac{\partial z}{\partial y_j} \frac{\partial y_j}{\partial x_i}",
    ],
    "eq-chain-jacobian": [r"\mathsf J_f(g(x))^{\mathsf T} \, \mathsf J_g(x)", r"\mathsf J_f(x) \, \mathsf J_g(g(x))"],
    "eq-chain-jvp-vjp": [r"\dot y = \mathsf J_g(\dot x) \, x", r"\bar x = \mathsf J_g(y)^{\mathsf T} \, \bar y"],
    "eq-chain-tensor": [r"\frac{\partial z_k}{\partial W_{ab}} = u_b \, \delta_{ka}", r"\frac{\partial z_k}{\partial W_{ab}} = u_a \, \delta_{ab}"],
    "eq-chain-move": [r"\langle G, dA \, B \rangle = \langle B^{\mathsf T} G, dA \rangle", r"\langle G, A \, dB \rangle = \langle A G, dB \rangle"],
    "eq-chain-product": [r"\bar A = B^{\mathsf T} \bar C", r"\bar A = \bar C B", r"\bar B = \bar C A^{\mathsf T}"],
    "eq-chain-elementwise": [r"\bar A \odot \phi'(A)", r"\bar A \odot \phi(Z)", r"\bar A \, \phi'(Z)"],
    "eq-chain-broadcast": [r"\bar Y \mathbf 1", r"\bar Y^{\mathsf T}"],
    # 03
    "eq-graph-adjoint": [r"\bar v_j = \sum_{i=j+1}^{n} \frac{\partial f_i}{\partial v_j} \bar v_j", r"\bar v_j = \sum_{i=j+2}^{n} \frac{\partial f_i}{\partial v_j} \bar v_i"],
    "eq-graph-two": [r"\bar w = x \, \bar p", r"\bar w = x \, \bar p + w \, \bar q", r"\bar p = 2 (a - t)"],
    "eq-graph-count": [r"N_{\text{paths}} = d^2", r"N_{\text{edges}} = 2 d"],
    "eq-graph-copy": [r"\bar y_1 - \bar y_2", r"\bar y_1 \odot \bar y_2", r"\bar y_1"],
    "eq-graph-seed": [r"\mathsf J_f(x) \, \bar y"],
    # 04
    "eq-sweep-mlp": [
        r"\dot Z^{[l]} = \dot A^{[l-1]} W^{[l]} + A^{[l-1]} \dot W^{[l]}",
        r"\dot Z^{[l]} = \dot A^{[l-1]} \dot W^{[l]} + \mathbf 1 \dot b^{[l]\mathsf T}",
        r"\dot A^{[l]} = \phi_l'(A^{[l]}) \odot \dot Z^{[l]}", r"\dot A^{[l]} = \phi_{l-1}'(Z^{[l]}) \odot \dot Z^{[l]}",
    ],
    "eq-sweep-directional": [r"\langle \bar W, \dot W \rangle", r"\langle \bar W, \dot W \rangle - \langle \bar b, \dot b \rangle"],
    "eq-sweep-product": [r"3 n", r"3 (n - 2)", r"4 (n - 1)"],
    "eq-sweep-power": [r"a^p I + p \, a^p \dot a \, \varepsilon", r"a^p I + a^{p-1} \dot a \, \varepsilon"],
    # 05
    "eq-forward-index": [r"z_k^{[l]} = \sum_{j=1}^{n_{l-1}} a_j^{[l]} W_{jk}^{[l]} + b_k^{[l]}", r"a_k^{[l]} = \phi_{l-1}(z_k^{[l]})"],
    "eq-delta-def": [r"\frac{\partial J}{\partial a_k^{[l]}}", r"\frac{\partial J}{\partial z_k^{[l-1]}}", r"-\frac{\partial J}{\partial z_k^{[l]}}"],
    "eq-loss-batch": [
        r"\frac{1}{B} \sum_{s=1}^{B} \sum_{k=1}^{n_L} (A_{sk}^{[L]} - T_{sk})^2", r"\frac{1}{2} \sum_{s=1}^{B} \sum_{k=1}^{n_L} (A_{sk}^{[L]} - T_{sk})^2",
        r"\frac{1}{2 n_L} \sum_{s=1}^{B} \sum_{k=1}^{n_L} (A_{sk}^{[L]} - T_{sk})^2", r"\frac{1}{2B} \sum_{s=1}^{B} \Bigl( \sum_{k=1}^{n_L} (A_{sk}^{[L]} - T_{sk}) \Bigr)^2",
    ],
    "eq-delta-last": [rf"(A^{{[L]}} - T) {LAST}", rf"\frac{{1}}{{B}} (T - A^{{[L]}}) {LAST}", r"\frac{1}{B} (A^{[L]} - T) \odot \phi_L'(A^{[L]})", r"\frac{1}{B} (A^{[L]} - T)"],
    "eq-delta": [
        rf"\bigl({NEXT}\bigr) \odot \phi_{{l+1}}'(Z^{{[l]}})", rf"\bigl({NEXT}\bigr) \odot \phi_l'(A^{{[l]}})",
        rf"\bigl({NEXT}\bigr) \odot \phi_l(Z^{{[l]}})", r"\bigl(\Delta^{[l+1]} W^{[l]\mathsf T}\bigr) \odot \phi_l'(Z^{[l]})",
        rf"\frac{{1}}{{B}} \bigl({NEXT}\bigr) \odot \phi_l'(Z^{{[l]}})", r"\bigl(\Delta^{[l]} W^{[l+1]\mathsf T}\bigr) \odot \phi_l'(Z^{[l]})",
    ],
    "eq-grad-W": [r"\frac{1}{B} A^{[l-1]\mathsf T} \Delta^{[l]}", r"A^{[l]\mathsf T} \Delta^{[l]}", r"\Delta^{[l]\mathsf T} A^{[l-1]}", r"A^{[l-1]\mathsf T} \Delta^{[l-1]}"],
    "eq-grad-b": [r"\Delta^{[l]} \mathbf 1", r"\frac{1}{B} \Delta^{[l]\mathsf T} \mathbf 1", r"\Delta^{[l]\mathsf T}"],
    "eq-step": [r"W^{[l]} \leftarrow W^{[l]} + \eta \frac{\partial J}{\partial W^{[l]}}", r"b^{[l]} \leftarrow b^{[l]} - \frac{\partial J}{\partial b^{[l]}}"],
    "eq-s1-tensor": [r"u_b \delta_{ka}", r"u_a \delta_{ka}", r"u_k \delta_{ab}"],
    # 06
    "eq-softmax-def": [r"\frac{e^{z_k}}{\sum_{j=1}^{n} e^{z_k}}", r"\frac{e^{-z_k}}{\sum_{j=1}^{n} e^{-z_j}}", r"\frac{e^{z_k}}{1 + \sum_{j=1}^{n} e^{z_j}}"],
    "eq-softmax-jacobian": [r"p_k (1 - p_j)", r"p_k (\delta_{kj} + p_j)", r"p_k (\delta_{kj} - p_k)"],
    "eq-softmax-vjp": [r"p \odot \bigl(g - \langle g, p \rangle p\bigr)", r"p \odot g - \langle g, p \rangle \mathbf 1"],
    "eq-softmax-gibbs": [r"\sum_{k=1}^{n} t_k \log \frac{t_k}{p_k} \le 0", r"\sum_{k=1}^{n} t_k \log \frac{p_k}{t_k} \ge 0"],
    "eq-softmax-delta": [r"t - p", r"p", r"p \odot (p - t)"],
    "eq-softmax-delta-batch": [r"P - T", r"\frac{1}{B} (T - P)"],
    "eq-softmax-zero-sum": [r"\sum_{k=1}^{n} \delta_k = 1", r"\sum_{k=1}^{n} p_k = 0"],
    "eq-softmax-curvature": [r"p_i (\delta_{ij} - p_i)", r"-p_i p_j", r"p_i (1 - p_j)"],
    "eq-softmax-norm": [r"\frac{1}{s} \bigl(g - \operatorname{mean}(g) \mathbf 1\bigr)", r"\frac{1}{s} \bigl(g - \operatorname{mean}(g) \mathbf 1 - \operatorname{mean}(g \odot \hat z)\mathbf 1\bigr)"],
    # 07
    "eq-learn-step": [r"\theta + \eta \, \nabla_\theta J", r"\theta - \nabla_\theta J"],
    "eq-learn-bound": [r"J(\theta + p) \le J(\theta) + \langle \nabla_\theta J(\theta), p \rangle + \Lambda \lVert p \rVert^2", r"J(\theta + p) \ge J(\theta) + \langle \nabla_\theta J(\theta), p \rangle + \frac{\Lambda}{2} \lVert p \rVert^2"],
    "eq-learn-descent": [r"J(\theta - \eta g) \le J(\theta) - \eta \Bigl(1 - \eta \Lambda\Bigr) \lVert g \rVert^2", r"J(\theta - \eta g) \le J(\theta)"],
    "eq-learn-momentum": [r"\sum_{i=1}^{K} \mu^i g_{ij}", r"\sum_{i=1}^{K} \mu^{K-i+1} g_{ij}", r"\sum_{i=1}^{K} (1 - \mu) \mu^{K-i} g_{ij}"],
    "eq-learn-geometric": [r"\frac{1 - \mu^{K+1}}{1 - \mu}", r"\frac{1}{1 - \mu}"],
    "eq-learn-adam": [r"\hat v = \frac{v}{1 - \beta_1^K}", r"\hat m = \frac{m}{1 - \beta_1}"],
    "eq-learn-variance": [r"\frac{1}{B} \; \frac{1}{N} \sum_{s=1}^{N} \sum_j (G_{sj} - \bar G_j)^2", r"\frac{1}{B} \, \frac{N - B}{N} \; \frac{1}{N} \sum_{s=1}^{N} \sum_j (G_{sj} - \bar G_j)^2"],
    "eq-learn-microbatch": [r"\frac{1}{2} \nabla_w J_1 + \frac{1}{2} \nabla_w J_2", r"\frac{B_2}{B_1 + B_2} \nabla_w J_1 + \frac{B_1}{B_1 + B_2} \nabla_w J_2"],
    "eq-learn-l2": [r"\nabla_W J + 2 \lambda W", r"\nabla_W J + \frac{\lambda}{2} W", r"\nabla_W J"],
    # 08
    "eq-check-bound": [r"\lvert D - f'(x) \rvert \le \frac{h^2}{3} M + \frac{\mathsf u F}{h}", r"\lvert D - f'(x) \rvert \ge \frac{h^2}{6} M + \frac{\mathsf u F}{h}"],
    "eq-check-richardson": [r"\frac{4 D(x, h/2) - D(x, h)}{3} = f'(x) + O(h^5)", r"\frac{2 D(x, h/2) - D(x, h)}{1} = f'(x) + O(h^4)"],
    "eq-check-entry": [r"\frac{|c g - g|}{|c g| + |g|} = \frac{|c - 1|}{c + 1} \le 2", r"\frac{|c - 1|}{c}"],
    "eq-check-adjoint": [r"\langle \mathsf J_f(x) \, v, u \rangle", r"\langle v, u \rangle"],
    "eq-check-sides": [r"2 h f''(x) + O(h^3)", r"h f''(x) + O(h^4)"],
    "eq-check-dropout": [r"\frac{\sigma_1^2 + \sigma_2^2}{2 h^2}", r"\frac{(\sigma_1 + \sigma_2)^2}{4 h^2}"],
    "eq-check-decay": [r"\nabla_W J + 2 \lambda W"],
    # 10
    "eq-kink-gate": [r"\mathbf 1[\bar y > 0] \odot \bar y", r"\mathbf 1[x < 0] \odot \bar y", r"\bar y"],
    "eq-kink-dead": [r"A^{\mathsf T} \bigl(\mathbf 1[\bar H > 0] \odot \bar H\bigr)", r"A^{\mathsf T} \bar H"],
    "eq-kink-tie": [r"\mathbf 1[a > b] \odot \bar y", r"\mathbf 1[a \ge b] \odot \bar y", r"\tfrac12 \bar y"],
    "eq-kink-max": [r"b + \phi(b - a)", r"a + \phi(a - b)", r"\max(a, b) = \frac{a + b - |a - b|}{2}"],
    "eq-kink-softplus": [r"0 \le \frac{1}{\beta} \log(1 + e^{\beta x}) - \phi(x) \le \frac{\log 2}{2 \beta}", r"\frac{1}{\beta} \log(1 + e^{\beta x}) - \phi(x) \le 0"],
}  # fmt: skip
