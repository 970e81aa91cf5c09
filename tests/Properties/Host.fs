namespace Curvature.Tests.Properties

open Curvature
open Curvature.FSharp

/// An array on the host with the plainest possible operations: loops over index vectors, against which tensors are
/// checked.
type Host = { Shape: int[]; Values: float[] }

[<RequireQualifiedAccess>]
module Host =

    let size (shape: int[]) = Array.fold (*) 1 shape

    /// All index vectors of a shape, in row-major order.
    let indices (shape: int[]) : int[][] =
        let rec extend axis : int list list =
            if axis = shape.Length then
                [ [] ]
            else
                let rest = extend (axis + 1)

                [
                    for i in 0 .. shape[axis] - 1 do
                        for tail in rest -> i :: tail
                ]

        extend 0 |> List.map List.toArray |> List.toArray

    /// An array from a function of the index vector.
    let init (shape: int[]) (f: int[] -> float) : Host = { Shape = shape; Values = indices shape |> Array.map f }

    /// The element at an index vector.
    let at (h: Host) (index: int[]) : float =
        let mutable offset = 0

        for axis in 0 .. h.Shape.Length - 1 do
            offset <- offset * h.Shape[axis] + index[axis]

        h.Values[offset]

    let map (f: float -> float) (h: Host) : Host = { h with Values = Array.map f h.Values }

    /// The element that NumPy's broadcasting puts at an index vector of a larger shape.
    let atBroadcast (h: Host) (index: int[]) : float =
        let offset = index.Length - h.Shape.Length
        at h (Array.init h.Shape.Length (fun axis -> if h.Shape[axis] = 1 then 0 else index[axis + offset]))

    let ofTensor (t: Tensor) : Host = { Shape = t.Shape; Values = t.ToArray() }

    /// The same values as a dense tensor.
    let toTensor (dtype: DType) (h: Host) : Tensor =
        Tensor.ofArray (List.ofArray h.Shape) h.Values |> Tensor.convert dtype

    /// index without the entries at some axes.
    let without (axes: int[]) (index: int[]) =
        index |> Array.indexed |> Array.filter (fun (axis, _) -> not (Array.contains axis axes)) |> Array.map snd
