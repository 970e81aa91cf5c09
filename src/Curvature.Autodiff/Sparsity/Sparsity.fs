namespace Curvature.FSharp

open System
open Curvature

/// Which entries of a derivative may differ from 0. Sets of indices are propagated through the linear program of the
/// derivative, which is recorded from the shape of the point alone: the pattern holds at every point, and covers all
/// branches of `max`, `where` and their like.
///
/// The zeros of constants count: a product with a constant 0 is no entry. An index that is computed from the point may
/// be any position of its axis, and that of a pool any of its window. Decompositions, and functions of another engine,
/// make all of their results depend on all of their arguments.
///
/// A function that asks for values of tensors on its way cannot be recorded from shapes. Its pattern is that of the
/// branch that it takes at the point, and the values of constants do not count.
///
/// What it costs is no product but a pass over the program on the host, with time and memory in proportion to the
/// elements of all values on the way, and to the ranges of their sets.
[<RequireQualifiedAccess>]
module Sparsity =

    let internal checkPoint name (x: Tensor) =
        ArgumentNullException.ThrowIfNull(x, nameof x)

        if x.DType = DType.Int32 then
            Fail.dtype $"{name}: the point is Int32; derivatives need Float32 or Float64"

        if not (isNull x.Owner) then
            Fail.differentiation $"{name}: the point is part of a transformation, and a pattern is found for arrays"

    let internal findJacobian name (f: Tensor -> Tensor) (x: Tensor) : FoundPattern =
        checkPoint name x
        PatternWalk.ofFunction (fun x -> [| f x |]) x

    let internal findHessian name (f: Tensor -> Tensor) (x: Tensor) : FoundPattern =
        checkPoint name x
        PatternWalk.ofFunction (fun x -> valueAndGradient f [| x |]) x

    /// The pattern of the Jacobian of f, of m rows for the elements of f(x) and n columns for those of x, both in
    /// row-major order. Of x, the shape and the element type matter alone, unless f asks for values.
    /// Raises DTypeException for an Int32 point, and ArgumentRangeException for a pattern of more than 2²⁶ entries.
    let jacobian (f: Tensor -> Tensor) (x: Tensor) : SparsityPattern =
        findJacobian "Sparsity.jacobian" f x |> SparsityPattern.ofFound "Sparsity.jacobian"

    /// The pattern of the Hessian of a scalar function, n by n for a point of n elements, symmetric.
    /// Raises ShapeException for a function that is not scalar, DTypeException for an Int32 point, and
    /// ArgumentRangeException for a pattern of more than 2²⁶ entries.
    let hessian (f: Tensor -> Tensor) (x: Tensor) : SparsityPattern =
        findHessian "Sparsity.hessian" f x |> SparsityPattern.ofFound "Sparsity.hessian" |> SparsityPattern.symmetric
