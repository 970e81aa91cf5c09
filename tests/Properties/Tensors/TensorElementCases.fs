namespace Curvature.Tests.Properties

open FsCheck
open FsCheck.FSharp
open Curvature
open Curvature.FSharp
open Curvature.Tests.Properties.Comparisons

/// Random uses of padding with elements, and of gathering and scattering by an index of as many axes.
[<RequireQualifiedAccess>]
module TensorElementCases =

    /// A padding function, how far it goes on an axis of a length, and the position that is read for one that may lie
    /// outside.
    let private padding pad (most: int -> int) (source: int -> int -> int) (dtype: DType) =
        gen {
            let! shape = Generators.fullShape 1 3
            let! axis = Gen.choose (0, shape.Length - 1)
            let length = shape[axis]
            let! before = Gen.choose (0, most length)
            let! after = Gen.choose (0, most length)
            let! t = Generators.ordinary dtype shape
            let h = Host.ofTensor t
            let padded = shape |> Array.updateAt axis (before + length + after)

            let expected =
                Host.init padded (fun index ->
                    Host.at h (index |> Array.updateAt axis (source length (index[axis] - before))))

            return comparison $"{before} and {after} along {axis} of {t}" 0.0 dtype (pad axis before after t) expected
        }

    let private mirrored length position =
        if position < 0 then -position
        elif position >= length then 2 * (length - 1) - position
        else position

    let private paddings =
        [
            "padReflect", padding Tensor.padReflect (fun length -> length - 1) mirrored
            "padEdge", padding Tensor.padEdge (fun _ -> 3) (fun length position -> max 0 (min (length - 1) position))
            "padWrap", padding Tensor.padWrap id (fun length position -> (position + length) % length)
        ]

    /// A tensor, an axis, and an index that is no longer along the other axes.
    let private indexed dtype =
        gen {
            let! shape = Generators.fullShape 1 3
            let! axis = Gen.choose (0, shape.Length - 1)
            let! count = Generators.length
            let! shorter = Generators.subset shape.Length

            let indexShape =
                shape
                |> Array.mapi (fun i length -> if Array.contains i shorter then length - 1 else length)
                |> Array.updateAt axis count

            let! index = Generators.positions shape[axis] indexShape
            let! t = Generators.ordinary dtype shape
            return axis, index, t
        }

    let private gatherElements dtype =
        gen {
            let! axis, index, t = indexed dtype
            let h, positions = Host.ofTensor t, Host.ofTensor index

            let expected =
                Host.init index.Shape (fun place ->
                    Host.at h (place |> Array.updateAt axis (int (Host.at positions place))))

            let actual = Tensor.gatherElements axis index t
            return comparison $"along {axis} of {shown [ index; t ]}" 0.0 dtype actual expected
        }

    let private scatterAddElements dtype =
        gen {
            let! axis, index, t = indexed dtype
            let! updates = Generators.ordinary dtype index.Shape
            let h, positions, added = Host.ofTensor t, Host.ofTensor index, Host.ofTensor updates

            let expected =
                Host.init t.Shape (fun place ->
                    let reads other = Array.updateAt axis (int (Host.at positions other)) other = place
                    let here = Host.indices index.Shape |> Array.filter reads
                    Host.at h place + Array.sumBy (Host.at added) here)

            let actual = Tensor.scatterAddElements axis index updates t
            return comparison $"along {axis} of {shown [ index; updates; t ]}" 1e-14 dtype actual expected
        }

    let all: (string * DType list * (DType -> Gen<Comparison>)) list =
        [
            for name, cases in paddings @ [ "gatherElements", gatherElements ] -> name, Generators.everyType, cases
            yield "scatterAddElements", Generators.floating, scatterAddElements
        ]
