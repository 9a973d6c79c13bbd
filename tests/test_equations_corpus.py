# ruff: noqa: E501  (an equation is easier to read on one line)
"""A corpus of equations of the subject, in several notations, each with wrong forms.

Columns and weights out x in (as most papers), rows and in x out (as this book), index form, second
order: what the reader must be able to read, and must be able to refuse.
"""

from __future__ import annotations

import numpy as np
import pytest

from bplib.equations import (
    Letters,
    elementwise,
    formula,
    function,
    gradient,
    layered,
    normal,
    positive,
    sample,
)


def softplus(z):
    return np.log1p(np.exp(z))


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    e = np.exp(z - np.max(np.real(z)))
    return e / e.sum()


def column_network(v):
    """One sample, columns, weights out x in."""
    v.h[0] = v.x
    for l in range(1, v.L + 1):  # noqa: E741
        v.z[l] = v.W[l] @ v.h[l - 1] + v.b[l]
        v.h[l] = v.phi[l](v.z[l])
    v.J = ((v.h[v.L] - v.t) ** 3).sum() / 3


PHI = layered([elementwise(np.tanh), elementwise(np.sin), elementwise(softplus)])

columns = Letters(
    column_network,
    L=3,
    x=normal("n[0]"),
    W=layered(normal("n[l]", "n[l-1]")),
    b=layered(normal("n[l]")),
    t=normal("n[3]"),
    phi=PHI,
    delta=gradient("J", "z"),
    draws=8,
)


def row_network(v):
    """A batch, rows, weights in x out: the book's own convention."""
    v.A[0] = v.X
    for l in range(1, v.L + 1):  # noqa: E741
        v.Z[l] = v.A[l - 1] @ v.W[l] + v.b[l]
        v.A[l] = v.phi[l](v.Z[l])
    v.J = ((v.A[v.L] - v.T) ** 2).sum() / (2 * v.B)


rows = Letters(
    row_network,
    L=3,
    X=normal("B", "n[0]"),
    W=layered(normal("n[l-1]", "n[l]")),
    b=layered(normal("n[l]")),
    T=normal("B", "n[3]"),
    phi=PHI,
    Delta=gradient("J", "Z"),
    draws=8,
)

product = Letters(
    A=normal("m", "p"), B=normal("p", "n"), C=lambda A, B: A @ B, J=lambda C: (C**3).sum(), draws=8
)

composed = Letters(
    x=normal("m"),
    M=normal("n", "m"),
    y=lambda M, x: np.sin(M @ x),
    z=lambda y: (y**3).sum() + y[0] * y[1],
    sfJ=gradient("y", "x"),
    loss="z",
    draws=8,
)

probabilities = Letters(
    z=normal("n"),
    t=sample(lambda rng, n: rng.dirichlet(np.ones(n))),
    q=lambda z: softmax(z),
    g=normal("n"),
    c=normal(),
    sfJ=gradient("q", "z"),
    softmax=function(softmax),
    J=lambda t, q: -(t * np.log(q)).sum(),
    draws=8,
)


EQUATIONS = [
    ("A01", r"\frac{dz}{dx} = f'(g(x))\,g'(x)",
     Letters(x=normal(), y=lambda x: np.tanh(x), z=lambda y: np.sin(y), f=np.sin, g=np.tanh),
     [r"f'(x) g'(x)", r"f'(g(x))", r"f(g(x)) g'(x)", r"g'(f(x)) f'(x)"]),
    ("A03", r"\frac{\partial z}{\partial x_i} = \sum_{j=1}^{n}\frac{\partial z}{\partial y_j}"
            r"\frac{\partial y_j}{\partial x_i}", composed,
     [r"\sum_{j=1}^{n}\frac{\partial z}{\partial y_j}\frac{\partial y_i}{\partial x_j}",
      r"\sum_{j=1}^{m}\frac{\partial z}{\partial y_j}\frac{\partial y_j}{\partial x_i}",
      r"\frac{\partial z}{\partial y_1}\frac{\partial y_1}{\partial x_i}"]),
    ("A05", r"\nabla_{\boldsymbol x}z = \Bigl(\frac{\partial\boldsymbol y}{\partial\boldsymbol x}"
            r"\Bigr)^{\!\mathsf T}\nabla_{\boldsymbol y}z = \mathsf J^{\mathsf T}\,\nabla_{y}z",
     composed, [r"\mathsf J \nabla_y z", r"\nabla_y z", r"\mathsf J^{\mathsf T}"]),
    ("A06", r"dJ = \langle\nabla_A J,\,dA\rangle + \langle \bar C, A\,dB\rangle", product,
     [r"\langle\nabla_A J, dA\rangle", r"\langle\nabla_A J, dA\rangle + \langle \bar C, dB\,A\rangle",
      r"\langle\nabla_A J, dA\rangle - \langle \bar C, A\,dB\rangle"]),
    ("A09", r"\frac{\partial z_k}{\partial W_{ab}} = \delta_{ka} x_b",
     Letters(W=normal("n", "m"), x=normal("m"), z=lambda W, x: W @ x, draws=8),
     [r"\delta_{kb} x_a", r"x_b", r"\delta_{ka}", r"-\delta_{ka}x_b"]),
    ("A09 transposed", r"\frac{\partial z_k}{\partial W_{ab}} = u_a \delta_{kb}",
     Letters(W=normal("n", "m"), u=normal("n"), z=lambda W, u: W.T @ u, draws=8),
     [r"u_b \delta_{ka}", r"u_k\delta_{ab}"]),
    ("A10", r"\frac{\partial z}{\partial w} = x^{\mathsf T}\otimes I",
     Letters(n=3, m=4, w=normal("n*m"), x=normal("m"), I=np.eye(3),
             z=lambda w, x, n, m: w.reshape(m, n).T @ x, draws=8),
     [r"I \otimes x^{\mathsf T}", r"x\otimes I"]),
    ("A11", r"\nabla_W J = \boldsymbol\delta\boldsymbol x^{\mathsf T}",
     Letters(W=normal("n", "m"), x=normal("m"), z=lambda W, x: W @ x, J=lambda z: (z**3).sum(),
             delta=gradient("J", "z"), draws=8),
     [r"x \delta^{\mathsf T}", r"\delta x", r"x^{\mathsf T}\delta", r"\delta\odot x"]),
    ("A12", r"C = AB:\quad \bar A = \bar C B^{\mathsf T},\qquad \bar B = A^{\mathsf T}\bar C", product,
     [r"\bar A = B^{\mathsf T}\bar C", r"\bar A = \bar C B", r"\bar B = \bar C A^{\mathsf T}"]),
    ("A13", r"\bar{\boldsymbol z} = \phi'(\boldsymbol z)\odot\bar{\boldsymbol h} ="
            r" \operatorname{diag}\phi'(\boldsymbol z)\,\bar h",
     Letters(z=normal("n"), phi=np.tanh, h=lambda z: np.tanh(z), J=lambda h: (h**3).sum(), draws=8),
     [r"\phi(z)\odot\bar h", r"\phi'(h)\odot\bar h", r"\phi'(z)\bar h", r"\bar h"]),
    ("A14", r"Y = X + \mathbf 1\boldsymbol b^{\mathsf T}:\ \bar{\boldsymbol b} ="
            r" \bar Y^{\mathsf T}\mathbf 1;\qquad \bar X = \bar Y",
     Letters(X=normal("B", "n"), b=normal("n"), Y=lambda X, b: X + b, J=lambda Y: (Y**3).sum(),
             draws=8),
     [r"\bar b = \bar Y", r"\bar b = \bar Y \mathbf 1", r"\bar b = \frac1B\bar Y^{\mathsf T}\mathbf 1"]),
    ("A16", r"\bar{\boldsymbol x} = \mathbf 1[\boldsymbol x>0]\odot\bar{\boldsymbol y}",
     Letters(x=normal("n"), y=lambda x: np.maximum(x, 0), J=lambda y: np.sin(y).sum() + (y**2).sum(),
             draws=8),
     [r"\mathbf 1[\bar y > 0]\odot\bar y", r"\bar y", r"\mathbf 1[x<0]\odot\bar y"]),
    ("A17", r"\frac{f(x+\tau)-f(x)}\tau=f'(x)+\tfrac\tau2f''(x)+O(\tau^2),\quad"
            r"\frac{f(x+\tau)-f(x-\tau)}{2\tau}=f'(x)+\tfrac{\tau^2}6f'''(x)+O(\tau^4)",
     Letters(f=np.sin, x=normal(), tau=0.5, draws=4),
     [r"f'(x)-\tfrac\tau2f''(x)+O(\tau^2)", r"f'(x) + O(\tau^2)", r"f'(x)+\tfrac\tau2f''(x)+O(\tau^3)"]),
    ("A17 complex step", r"\frac{\operatorname{Im}f(x+\mathrm i\tau)}\tau"
                         r" = f'(x)-\tfrac{\tau^2}6f'''(x)+O(\tau^4)",
     Letters(f=np.sin, x=normal(), tau=0.5, i=1j, draws=4),
     [r"f'(x)+\tfrac{\tau^2}6f'''(x)+O(\tau^4)"]),
    ("B06", r"y = x\cdot x:\ \bar x = x\bar y + x\bar y",
     Letters(x=normal(), y=lambda x: x * x, J=lambda y: np.sin(y), draws=8),
     [r"\bar x = x\bar y", r"\bar x = x\bar y - x\bar y"]),
    ("C01", r"z^{(\ell)}_k=\sum_{j=1}^{n_{\ell-1}}W^{(\ell)}_{kj}h^{(\ell-1)}_j+b^{(\ell)}_k", columns,
     [r"\sum_{j=1}^{n_{\ell-1}}W^{(\ell)}_{jk}h^{(\ell-1)}_j+b^{(\ell)}_k",
      r"\sum_{j=1}^{n_{\ell}}W^{(\ell)}_{kj}h^{(\ell-1)}_j+b^{(\ell)}_k",
      r"\sum_{j=1}^{n_{\ell-1}}W^{(\ell)}_{kj}h^{(\ell)}_j+b^{(\ell)}_k",
      r"W^{(\ell)}_{kj}h^{(\ell-1)}_j+b^{(\ell)}_k"]),
    ("C04", r"\frac{\partial J}{\partial W^{(\ell)}_{nm}}=\delta^{(\ell)}_nh^{(\ell-1)}_m,\qquad"
            r"\frac{\partial J}{\partial b^{(\ell)}_n}=\delta^{(\ell)}_n", columns,
     [r"\delta^{(\ell)}_nh^{(\ell)}_m", r"\delta^{(\ell)}_mh^{(\ell-1)}_n"]),
    ("C05", r"\delta^{(L)}_n=\frac{\partial J}{\partial h^{(L)}_n}\,\phi_L'(z^{(L)}_n)", columns,
     [r"\frac{\partial J}{\partial h^{(L)}_n}\,\phi_{L-1}'(z^{(L)}_n)",
      r"\frac{\partial J}{\partial h^{(L)}_n}\,\phi_L'(h^{(L)}_n)",
      r"\frac{\partial J}{\partial h^{(L)}_n}"]),
    ("C06", r"""\begin{aligned}\delta^{(\ell)}_n
        &=\phi_\ell'(z^{(\ell)}_n)\frac{\partial J}{\partial h^{(\ell)}_n}\\
        &=\phi_\ell'(z^{(\ell)}_n)\sum_{k=1}^{n_{\ell+1}}\frac{\partial J}{\partial h^{(\ell+1)}_k}
          \frac{\partial h^{(\ell+1)}_k}{\partial h^{(\ell)}_n}\\
        &=\phi_\ell'(z^{(\ell)}_n)\sum_k\frac{\partial J}{\partial h^{(\ell+1)}_k}
          \frac{\partial h^{(\ell+1)}_k}{\partial z^{(\ell+1)}_{\boxed{k}}}
          \frac{\partial z^{(\ell+1)}_k}{\partial h^{(\ell)}_n}\\
        &=\phi_\ell'(z^{(\ell)}_n)\sum_k\frac{\partial J}{\partial h^{(\ell+1)}_k}\,
          \phi_{\boxed{\ell+1}}'(z^{(\ell+1)}_{\boxed{k}})\,W^{(\ell+1)}_{kn}\\
        &=\phi_\ell'(z^{(\ell)}_n)\sum_k\delta^{(\ell+1)}_kW^{(\ell+1)}_{kn}.\end{aligned}""", columns,
     [r"\phi_\ell'(z^{(\ell)}_n)\sum_k\frac{\partial J}{\partial h^{(\ell+1)}_k}\,"
      r"\phi_{\ell}'(z^{(\ell+1)}_k)\,W^{(\ell+1)}_{kn}",
      r"\phi_\ell'(z^{(\ell)}_n)\sum_k\frac{\partial J}{\partial h^{(\ell+1)}_k}\,"
      r"\phi_{\ell+1}'(z^{(\ell+1)}_n)\,W^{(\ell+1)}_{kn}"]),
    ("C07", r"\boldsymbol\delta^{(\ell)}=\phi_\ell'(\boldsymbol z^{(\ell)})\odot W^{(\ell+1)\mathsf T}"
            r"\boldsymbol\delta^{(\ell+1)},\quad\nabla_{W^{(\ell)}}J=\boldsymbol\delta^{(\ell)}"
            r"\boldsymbol h^{(\ell-1)\mathsf T},\quad\nabla_{\boldsymbol b^{(\ell)}}J="
            r"\boldsymbol\delta^{(\ell)}", columns,
     [r"\phi_\ell'(z^{(\ell)})\odot W^{(\ell+1)}\delta^{(\ell+1)}",
      r"\phi_\ell(z^{(\ell)})\odot W^{(\ell+1)\mathsf T}\delta^{(\ell+1)}"]),
    ("C08", r"\nabla_{\boldsymbol h^{(\ell-1)}}J=W^{(\ell)\mathsf T}\boldsymbol\delta^{(\ell)}", columns,
     [r"W^{(\ell)}\delta^{(\ell)}", r"\delta^{(\ell)\mathsf T}W^{(\ell)}"]),
    ("C10", r"Z^{[l]}=A^{[l-1]}W^{[l]}+\mathbf 1b^{[l]\mathsf T}", rows,
     [r"A^{[l-1]}W^{[l]}+b^{[l]}", r"A^{[l-1]}W^{[l]}", r"W^{[l]}A^{[l-1]}+\mathbf 1b^{[l]\mathsf T}"]),
    ("C11", r"\Delta^{[l]}=\bigl(\Delta^{[l+1]}W^{[l+1]}{}^{\mathsf T}\bigr)\odot\phi_l'(Z^{[l]})", rows,
     [r"\bigl(\Delta^{[l+1]}W^{[l+1]}\bigr)\odot\phi_l'(Z^{[l]})",
      r"\bigl(\Delta^{[l+1]}W^{[l+1]\mathsf T}\bigr)\phi_l'(Z^{[l]})"]),
    ("C12", r"\val{\nabla_{W^{[l]}}J}=(A^{[l-1]})^\top\cot{\Delta^{[l]}},\quad"
            r"\nabla_{b^{[l]}}J=\Delta^{[l]\mathsf T}\mathbf 1", rows,
     [r"\Delta^{[l]\mathsf T}A^{[l-1]}", r"\frac1B(A^{[l-1]})^\top\Delta^{[l]}"]),
    ("C12 last", r"\Delta^{[L]}=\frac1B(A^{[L]}-T)\odot\phi_L'(Z^{[L]})", rows,
     [r"(A^{[L]}-T)\odot\phi_L'(Z^{[L]})", r"\frac1B(T-A^{[L]})\odot\phi_L'(Z^{[L]})"]),
    ("C15", r"\nabla_W\bigl(J+\tfrac\lambda2\lVert W\rVert_F^2\bigr)=\nabla_WJ+\lambda W",
     Letters(W=normal("n", "m"), x=normal("m"), J=lambda W, x: np.sin(W @ x).sum(),
             **{"lambda": normal()}, draws=8),
     [r"\nabla_W J + 2\lambda W", r"\nabla_W J", r"\nabla_W J - \lambda W"]),
    ("C18", r"q_i=\frac{e^{z_i}}{\sum_je^{z_j}}", probabilities,
     [r"\frac{e^{z_i}}{\sum_je^{-z_j}}", r"\frac{e^{z_i}}{e^{z_i}}"]),
    ("C18 shift", r"\operatorname{softmax}(\boldsymbol z+c\mathbf 1)=\boldsymbol q", probabilities,
     [r"c\,\boldsymbol q"]),
    ("C19", r"\frac{\partial q_i}{\partial z_j}=q_i(\delta_{ij}-q_j),\qquad"
            r"\mathsf J=\operatorname{diag}\boldsymbol q-\boldsymbol q\boldsymbol q^{\mathsf T}",
     probabilities,
     [r"q_i(\delta_{ij}-q_i)", r"\delta_{ij}-q_j", r"q_i(\delta_{ij}+q_j)", r"q_i(1-q_j)"]),
    ("C20", r"\mathsf J^{\mathsf T}\boldsymbol g=\boldsymbol q\odot\bigl(\boldsymbol g-"
            r"\langle\boldsymbol g,\boldsymbol q\rangle\mathbf 1\bigr)", probabilities,
     [r"q\odot g", r"q\odot(g-q)", r"g\odot(q-\langle g,q\rangle\mathbf 1)"]),
    ("C21", r"J=-\sum_it_i\log q_i:\quad\nabla_{\boldsymbol z}J=\bigl(\textstyle\sum_it_i\bigr)"
            r"\boldsymbol q-\boldsymbol t=\boldsymbol q-\boldsymbol t", probabilities,
     [r"\nabla_z J = t - q", r"\nabla_z J = q\odot t - q", r"\nabla_z J=-t\odot(\mathbf 1-q)"]),
    ("C23", r"\sigma'(x)=\sigma(x)(1-\sigma(x)),\ \tanh'(x)=1-\tanh^2(x),\ s'(x)=\sigma(x);\quad"
            r"\sigma''(x)=\sigma'(x)(1-2\sigma(x)),\ \tanh''(x)=-2\tanh(x)\tanh'(x)",
     Letters(x=normal(), sigma=elementwise(sigmoid), s=elementwise(softplus), draws=8),
     [r"\sigma(x)(1+\sigma(x))", r"\tanh'(x)=1-\tanh(x)", r"\tanh''(x)=2\tanh(x)\tanh'(x)"]),
    ("C24", r"\bar x=\frac1s\Bigl(g-\operatorname{mean}(g)\mathbf 1-\hat x\operatorname{mean}"
            r"(g\odot\hat x)\Bigr)",
     Letters(x=normal("n"), mu=lambda x: x.mean(), s=lambda x, mu: np.sqrt(((x - mu) ** 2).mean()),
             x_hat=lambda x, mu, s: (x - mu) / s, J=lambda x_hat: (x_hat**3).sum() + x_hat[0],
             g=gradient("J", "x_hat"), sizes={"n": (3, 6)}, draws=8),
     [r"\frac1s g", r"\frac1s\Bigl(g-\operatorname{mean}(g)\mathbf 1\Bigr)"]),
    ("D03", r"\dot{\boldsymbol z}^{(\ell)}=\dot W^{(\ell)}\boldsymbol h^{(\ell-1)}+W^{(\ell)}"
            r"\dot{\boldsymbol h}^{(\ell-1)}+\dot{\boldsymbol b}^{(\ell)},\quad"
            r"\dot h^{(\ell)}=\phi_\ell'(z^{(\ell)})\odot\dot z^{(\ell)}", columns,
     [r"W^{(\ell)}\dot h^{(\ell-1)}+\dot b^{(\ell)}", r"\dot W^{(\ell)}\dot h^{(\ell-1)}"]),
    ("D04", r"\frac{d}{dr}J(\theta+rv)\Big\vert_{r=0}=\langle\nabla_\theta j,v\rangle",
     Letters(theta=normal("n"), v=normal("n"), r=0.5,
             J=function(lambda x: np.sum(np.sin(x)) * np.prod(x)),
             j=lambda theta: np.sum(np.sin(theta)) * np.prod(theta), draws=6),
     [r"\lVert v\rVert", r"\langle\nabla_\theta j,\theta\rangle"]),
    ("E01", r"\frac{\partial^2J}{\partial\theta_i\partial\theta_k}"
            r"=\frac{\partial^2J}{\partial\theta_k\partial\theta_i}=H_{ik}",
     Letters(theta=normal("n"), S=normal("n", "n"),
             J=lambda theta, S: theta @ S @ theta, H=lambda S: S + S.T, draws=6),
     [r"H_{ik}+\delta_{ik}", r"2S_{ik}", r"\frac{\partial J}{\partial\theta_i}"]),
    ("E03", r"Hv=\nabla_\theta\langle\nabla_\theta J,v\rangle",
     Letters(theta=normal("n"), v=normal("n"), S=normal("n", "n"),
             J=lambda theta, S: np.sin(theta).sum() + theta @ S @ theta,
             H=lambda theta, S: S + S.T - np.diag(np.sin(theta)), draws=4),
     [r"\langle\nabla_\theta J,v\rangle", r"\nabla_\theta\langle J, v\rangle\nabla_\theta J",
      r"\nabla_\theta\langle\nabla_\theta J,\theta\rangle"]),
    ("C25", r"W \leftarrow W - \eta \nabla_W J",
     Letters(W=normal("n", "m"), x=normal("m"), eta=positive(), J=lambda W, x: np.sin(W @ x).sum(),
             W_new=lambda W, x, eta: W - eta * np.outer(np.cos(W @ x), x), draws=8),
     [r"W + \eta \nabla_W J", r"W - \nabla_W J"]),
    ("C26", r"j - \eta\lVert g\rVert^2 \le j",
     Letters(g=normal("n"), eta=positive(), j=normal(), draws=8), [r"j + \eta\lVert g\rVert^2 \le j"]),
    ("F03", r"\frac Ls + s \ge 2\sqrt L", Letters(L=positive(), s=positive(), draws=8),
     [r"\frac Ls + s \ge 3\sqrt L"]),
    ("F06", r"\binom{c+1}{k} = \binom{c}{k}+\binom{c}{k-1}", Letters(c=7, k=3, draws=1),
     [r"\binom{c+1}{k} = \binom{c}{k}-\binom{c}{k-1}"]),
    ("series", r"S = \sum_{k=0}^{m} r^k = \frac{1-r^{m+1}}{1-r}",
     Letters(m=5, r=normal(), S=lambda r, m: sum(r**i for i in range(m + 1)), draws=4),
     [r"\frac{1-r^{m}}{1-r}", r"\sum_{k=1}^{m} r^k"]),
    ("product of layers", r"\det P = \prod_{l=1}^{L}\det M^{[l]}, \qquad P = \prod_{l=1}^{L} M^{[l]}",
     Letters(L=3, M=layered(normal(3, 3)), P=lambda M: M[1] @ M[2] @ M[3], draws=4),
     [r"P = M^{[3]}M^{[2]}M^{[1]}", r"\prod_{l=2}^{L}\det M^{[l]}"]),
    ("recursion", r"v_{k+1}=v_k\sin v_k", Letters(
        k=range(1, 4), v=lambda: np.array(_chain(0.7)), draws=1), [r"v_k\cos v_k", r"v_{k+1}\sin v_k"]),
    ("trace", r"\operatorname{tr}(A^{\mathsf T}A)=\lVert A\rVert_F^2=\sum_{i,j}A_{ij}^2",
     Letters(A=normal("m", "n"), draws=8), [r"\lVert A\rVert_F", r"\sum_i A_{ii}^2"]),
    ("cases", r"f(x) = \begin{cases} x & \text{if } x > 0 \\ ax & \text{otherwise}\end{cases}",
     Letters(x=normal(), a=0.1, f=elementwise(lambda x: np.where(x > 0, x, 0.1 * x)), draws=12),
     [r"\begin{cases} x & x < 0 \\ ax & \text{otherwise}\end{cases}", r"ax"]),
    ("max", r"m=\max_jz_j,\quad \ell=m+\log\sum_je^{z_j-m}",
     Letters(z=normal("n"), m=lambda z: z.max(), ell=lambda z: np.log(np.exp(z).sum()), draws=8),
     [r"\ell=\log\sum_je^{z_j-m}", r"m=\min_jz_j"]),
]  # fmt: skip


def _chain(x):
    values = [x]
    for _ in range(4):
        values.append(values[-1] * np.sin(values[-1]))
    return values


@pytest.mark.parametrize(("latex", "letters", "wrong"), [e[1:] for e in EQUATIONS],
                         ids=[e[0] for e in EQUATIONS])  # fmt: skip
def test_the_right_form_holds_and_the_wrong_ones_are_refused(latex, letters, wrong):
    check = formula(latex).holds(letters)
    for form in wrong:
        check.rejects(form)
    assert len(check.refused) == len(wrong) > 0
