"""The classes of results with named parts: `isinstance(torch.ones(3).max(0), torch.return_types.max)`."""

from __future__ import annotations

from typing import Any

from rushlight import _C, _functions, linalg

# A call that gives such a result, for each: the core makes a class with its first result.
_MADE_BY: dict[str, Any] = {
    **{
        name: lambda name=name: getattr(_C, name)(_C.ones(1), 0)
        for name in ("cummax", "cummin", "max", "median", "min", "mode", "nanmedian")
    },
    "aminmax": lambda: _C.aminmax(_C.ones(1)),
    "frexp": lambda: _C.frexp(_C.ones(1)),
    "kthvalue": lambda: _C.kthvalue(_C.ones(1), 1),
    "sort": lambda: _C.sort(_C.ones(1)),
    "topk": lambda: _C.topk(_C.ones(1), 1),
    "linalg_cholesky_ex": lambda: linalg.cholesky_ex(_C.eye(1)),
    "linalg_eig": lambda: linalg.eig(_C.eye(1)),
    "linalg_eigh": lambda: linalg.eigh(_C.eye(1)),
    "linalg_inv_ex": lambda: linalg.inv_ex(_C.eye(1)),
    "linalg_ldl_factor": lambda: linalg.ldl_factor(_C.eye(1)),
    "linalg_ldl_factor_ex": lambda: linalg.ldl_factor_ex(_C.eye(1)),
    "linalg_lu": lambda: linalg.lu(_C.eye(1)),
    "linalg_lu_factor": lambda: linalg.lu_factor(_C.eye(1)),
    "linalg_lstsq": lambda: linalg.lstsq(_C.eye(1), _C.eye(1)),
    "linalg_qr": lambda: linalg.qr(_C.eye(1)),
    "linalg_slogdet": lambda: linalg.slogdet(_C.eye(1)),
    "linalg_svd": lambda: linalg.svd(_C.eye(1)),
    "qr": lambda: _functions._QR(_C.eye(1), _C.eye(1)),  # calling it warns, and says so only once
    **{name: lambda name=name: getattr(_functions, name)(_C.eye(1)) for name in ("slogdet", "svd")},
}
__all__ = list(_MADE_BY)


def __getattr__(name: str) -> Any:
    if name in _MADE_BY:
        value = globals()[name] = type(_MADE_BY[name]())
        return value
    from rushlight._missing import no_attribute

    raise no_attribute(__name__, name, __all__)
