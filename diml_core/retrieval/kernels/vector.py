"""Sixteen float32 as one number of compiled code: the same arithmetic on sixteen problems at once.

numba leaves it to LLVM to find loops that fit a processor's vector registers, and a loop over
sixteen problems inside other loops is not found. A value of the type here is such a register (two
or four, where they are shorter) on every processor that LLVM knows. Arithmetic operators take two
of them, or one and a float32; ``magnitude``, ``floor`` and ``power_of_two`` a float32 as well.
"""

from __future__ import annotations

import operator

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, overload, register_model

LANES = 16

_FLOATS = ir.VectorType(ir.FloatType(), LANES)
_INTS = ir.VectorType(ir.IntType(32), LANES)
_FAST = ("fast",)


class LanesType(types.Type):
    """numba's type of these values."""

    def __init__(self) -> None:
        super().__init__(name=f"Lanes({LANES})")


lanes_type = LanesType()


@register_model(LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager, frontend_type) -> None:
        super().__init__(manager, frontend_type, _FLOATS)


def _spread(builder, value):
    undefined = ir.Constant(_FLOATS, ir.Undefined)
    first = builder.insert_element(undefined, value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, undefined, ir.Constant(_INTS, [0] * LANES))


def _item(context, builder, array_type, array, index_type, index):
    indices = cgutils.unpack_tuple(builder, index, len(index_type))
    array = context.make_array(array_type)(context, builder, array)
    return cgutils.get_item_pointer(context, builder, array_type, array, indices)


def _pointer(context, builder, *arguments):
    return builder.bitcast(_item(context, builder, *arguments), _FLOATS.as_pointer())


@intrinsic
def load(_, array, start):
    """The sixteen numbers of a float32 array, contiguous along its last axis, from ``start`` on."""

    def generate(context, builder, signature, arguments):
        array_type, index_type = signature.args
        pointer = _pointer(context, builder, array_type, arguments[0], index_type, arguments[1])
        value = builder.load(pointer)
        value.align = 4
        return value

    return lanes_type(array, start), generate


@intrinsic
def load_half(_, array, start):
    """The same of the bits of float16, as an int16 array; neither infinite nor NaN."""

    def generate(context, builder, signature, arguments):
        array_type, index_type = signature.args
        shorts = ir.VectorType(ir.IntType(16), LANES)
        item = _item(context, builder, array_type, arguments[0], index_type, arguments[1])
        bits = builder.load(builder.bitcast(item, shorts.as_pointer()))
        bits.align = 2
        # Not by LLVM's conversion, which calls a function where the processor has none.
        bits = builder.zext(bits, _INTS)

        def part(mask, shift):
            masked = builder.and_(bits, ir.Constant(_INTS, [mask] * LANES))
            return builder.shl(masked, ir.Constant(_INTS, [shift] * LANES))

        rescale = ir.Constant(_FLOATS, [2.0**112] * LANES)  # the two exponents start elsewhere
        size = builder.fmul(builder.bitcast(part(0x7FFF, 13), _FLOATS), rescale)
        signed = builder.or_(builder.bitcast(size, _INTS), part(0x8000, 16))
        return builder.bitcast(signed, _FLOATS)

    return lanes_type(array, start), generate


@intrinsic
def store(_, array, start, value):
    """Write sixteen numbers where :func:`load` would read them."""

    def generate(context, builder, signature, arguments):
        array_type, index_type, _ = signature.args
        pointer = _pointer(context, builder, array_type, arguments[0], index_type, arguments[1])
        builder.store(arguments[2], pointer).align = 4
        return context.get_dummy_value()

    return types.void(array, start, lanes_type), generate


@intrinsic
def transpose(_, source, target, start):
    """``target[start : start + 16] = source.T`` of C-contiguous float32 ``[16, 16]`` and ``[n, 16]``."""

    def generate(context, builder, signature, arguments):
        def pointer(which, row):
            index = cgutils.pack_array(builder, [row, context.get_constant(types.intp, 0)])
            kind, index_type = signature.args[which], types.UniTuple(types.intp, 2)
            return _pointer(context, builder, kind, arguments[which], index_type, index)

        rows = []
        for i in range(LANES):
            rows.append(builder.load(pointer(0, context.get_constant(types.intp, i))))
            rows[-1].align = 4
        for size in (1, 2, 4, 8):  # swaps the blocks of this size that lie off the diagonal
            low = [j if not j & size else j - size + LANES for j in range(LANES)]
            high = [j + size if not j & size else j + LANES for j in range(LANES)]
            for i in range(LANES):
                if not i & size:
                    pair = rows[i], rows[i + size]
                    rows[i], rows[i + size] = (
                        builder.shuffle_vector(*pair, ir.Constant(_INTS, mask))
                        for mask in (low, high)
                    )
        for i, row in enumerate(rows):
            at = builder.add(arguments[2], context.get_constant(types.intp, i))
            builder.store(row, pointer(1, at)).align = 4
        return context.get_dummy_value()

    return types.void(source, target, types.intp), generate


@intrinsic
def spread(_, value):
    """A float32 in every lane."""
    return lanes_type(types.float32), lambda _c, builder, _s, arguments: _spread(
        builder, *arguments
    )


def _operator(instruction: str):
    @intrinsic
    def compute(_, x, y):
        def generate(context, builder, signature, arguments):
            values = (
                value if kind == lanes_type else _spread(builder, value)
                for value, kind in zip(arguments, signature.args, strict=True)
            )
            return getattr(builder, instruction)(*values, flags=_FAST)

        given = [kind if kind == lanes_type else types.float32 for kind in (x, y)]
        return lanes_type(*given), generate

    def choose(x, y):
        if lanes_type in (x, y):
            return lambda x, y: compute(x, y)
        return None

    return choose


for _symbol, _instruction in {
    operator.add: "fadd",
    operator.sub: "fsub",
    operator.mul: "fmul",
    operator.truediv: "fdiv",
}.items():
    overload(_symbol, inline="always")(_operator(_instruction))


@intrinsic
def larger(_, x, y):
    """The larger of two, lane by lane."""

    def generate(context, builder, signature, arguments):
        return builder.select(builder.fcmp_ordered(">", *arguments, flags=_FAST), *arguments)

    return lanes_type(lanes_type, lanes_type), generate


@intrinsic
def smaller(_, x, y):
    """The smaller of two, lane by lane."""

    def generate(context, builder, signature, arguments):
        return builder.select(builder.fcmp_ordered("<", *arguments, flags=_FAST), *arguments)

    return lanes_type(lanes_type, lanes_type), generate


@intrinsic
def where_positive(_, x, yes, no):
    """``yes`` in the lanes where x > 0, ``no`` in the others."""

    def generate(context, builder, signature, arguments):
        x, yes, no = arguments
        return builder.select(builder.fcmp_ordered(">", x, ir.Constant(_FLOATS, None)), yes, no)

    return lanes_type(lanes_type, lanes_type, lanes_type), generate


def _library(name: str):
    @intrinsic
    def compute(_, x):
        many = x == lanes_type
        kind, floats = (lanes_type, _FLOATS) if many else (types.float32, ir.FloatType())

        def generate(context, builder, signature, arguments):
            function = cgutils.get_or_insert_function(
                builder.module,
                ir.FunctionType(floats, [floats]),
                f"llvm.{name}.{f'v{LANES}' if many else ''}f32",
            )
            return builder.call(function, arguments)

        return kind(kind), generate

    return compute


magnitude = _library("fabs")
floor = _library("floor")


@intrinsic
def power_of_two(_, exponent):
    """2 to the power of a whole number, -126..127."""
    many = exponent == lanes_type
    floats, ints = (_FLOATS, _INTS) if many else (ir.FloatType(), ir.IntType(32))

    def constant(value):
        return ir.Constant(ints, [value] * LANES if many else value)

    def generate(context, builder, signature, arguments):
        biased = builder.add(builder.fptosi(arguments[0], ints), constant(127))
        return builder.bitcast(builder.shl(biased, constant(23)), floats)

    kind = lanes_type if many else types.float32
    return kind(kind), generate
