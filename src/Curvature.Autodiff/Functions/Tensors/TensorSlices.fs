namespace Curvature.FSharp

open Curvature

/// What scripts need most, without the name of a module.
[<AutoOpen>]
module TensorBuilders =
    /// A tensor of nested sequences of float, float32 or int: tensor [[1.0; 2.0]; [3.0; 4.0]].
    let tensor (value: obj) : Tensor = Tensor.ofObject value

/// F#'s slices of tensors: t[0..3], t[1.., 0], t[*, 1]. The end of a range is taken, as in all of F#; an axis with an
/// index disappears; axes behind the last one that is named stay whole. Slices are views, and can be differentiated.
/// A range that ends one before its start is empty. Negative indices, and those outside an axis, raise
/// ArgumentRangeException.
[<AutoOpen>]
module TensorSlices =

    let private range (start: int option) (finish: int option) = AxisSelection.Inclusive(start, finish)
    let private at (index: int) = AxisSelection.op_Implicit index
    let private take (t: Tensor) (axes: AxisSelection[]) : Tensor = t[axes]

    type Tensor with

        member t.GetSlice(s0, f0) = take t [| range s0 f0 |]
        member t.GetSlice(s0, f0, s1, f1) = take t [| range s0 f0; range s1 f1 |]
        member t.GetSlice(s0, f0, i1) = take t [| range s0 f0; at i1 |]
        member t.GetSlice(i0, s1, f1) = take t [| at i0; range s1 f1 |]
        member t.GetSlice(s0, f0, s1, f1, s2, f2) = take t [| range s0 f0; range s1 f1; range s2 f2 |]
        member t.GetSlice(s0, f0, s1, f1, i2) = take t [| range s0 f0; range s1 f1; at i2 |]
        member t.GetSlice(s0, f0, i1, s2, f2) = take t [| range s0 f0; at i1; range s2 f2 |]
        member t.GetSlice(s0, f0, i1, i2) = take t [| range s0 f0; at i1; at i2 |]
        member t.GetSlice(i0, s1, f1, s2, f2) = take t [| at i0; range s1 f1; range s2 f2 |]
        member t.GetSlice(i0, s1, f1, i2) = take t [| at i0; range s1 f1; at i2 |]
        member t.GetSlice(i0, i1, s2, f2) = take t [| at i0; at i1; range s2 f2 |]

        member t.GetSlice(s0, f0, s1, f1, s2, f2, s3, f3) =
            take t [| range s0 f0; range s1 f1; range s2 f2; range s3 f3 |]

        member t.GetSlice(s0, f0, s1, f1, s2, f2, i3) = take t [| range s0 f0; range s1 f1; range s2 f2; at i3 |]
        member t.GetSlice(s0, f0, s1, f1, i2, s3, f3) = take t [| range s0 f0; range s1 f1; at i2; range s3 f3 |]
        member t.GetSlice(s0, f0, s1, f1, i2, i3) = take t [| range s0 f0; range s1 f1; at i2; at i3 |]
        member t.GetSlice(s0, f0, i1, s2, f2, s3, f3) = take t [| range s0 f0; at i1; range s2 f2; range s3 f3 |]
        member t.GetSlice(s0, f0, i1, s2, f2, i3) = take t [| range s0 f0; at i1; range s2 f2; at i3 |]
        member t.GetSlice(s0, f0, i1, i2, s3, f3) = take t [| range s0 f0; at i1; at i2; range s3 f3 |]
        member t.GetSlice(s0, f0, i1, i2, i3) = take t [| range s0 f0; at i1; at i2; at i3 |]
        member t.GetSlice(i0, s1, f1, s2, f2, s3, f3) = take t [| at i0; range s1 f1; range s2 f2; range s3 f3 |]
        member t.GetSlice(i0, s1, f1, s2, f2, i3) = take t [| at i0; range s1 f1; range s2 f2; at i3 |]
        member t.GetSlice(i0, s1, f1, i2, s3, f3) = take t [| at i0; range s1 f1; at i2; range s3 f3 |]
        member t.GetSlice(i0, s1, f1, i2, i3) = take t [| at i0; range s1 f1; at i2; at i3 |]
        member t.GetSlice(i0, i1, s2, f2, s3, f3) = take t [| at i0; at i1; range s2 f2; range s3 f3 |]
        member t.GetSlice(i0, i1, s2, f2, i3) = take t [| at i0; at i1; range s2 f2; at i3 |]
        member t.GetSlice(i0, i1, i2, s3, f3) = take t [| at i0; at i1; at i2; range s3 f3 |]
