namespace Curvature.Tests.Properties

open System
open FsCheck
open FsCheck.FSharp
open Curvature
open Curvature.Kernels

/// For every elementwise function, operands inside its domain and away from its kinks and steps.
module internal ElementwiseCases =

    let private operands
        (generators: (DType -> int[] -> Gen<Tensor>) list)
        (dtype: DType)
        (shape: int[])
        : Gen<Tensor list> =
        gen {
            let! tensors = generators |> List.map (fun generator -> generator dtype shape) |> Gen.sequenceToList
            return tensors
        }

    let private within low high : DType -> int[] -> Gen<Tensor> = Generators.between low high
    let private anything = within -2.0 2.0

    /// Numbers of either sign that are not small.
    let private awayFromZero (dtype: DType) shape =
        gen {
            let! size = within 0.3 2.0 dtype shape
            let! sign = within -1.0 1.0 dtype shape
            return Generators.map2 (fun size sign -> if sign < 0.0 then -size else size) size sign
        }

    let private betweenSteps (dtype: DType) shape =
        gen {
            let! whole = within -3.0 3.0 dtype shape
            let! fraction = within 0.2 0.8 dtype shape
            return Generators.map2 (fun whole fraction -> floor whole + fraction) whole fraction
        }

    let private mask (dtype: DType) shape =
        gen {
            let! number = anything dtype shape
            return Generators.map2 (fun number _ -> if number > 0.0 then 1.0 else 0.0) number number
        }

    /// Two operands that are nowhere close to each other.
    let private apart (dtype: DType) (shape: int[]) =
        gen {
            let! a = anything dtype shape
            let! gap = awayFromZero dtype shape
            return [ a; Generators.map2 (+) a gap ]
        }

    /// Operands, and which of them are held.
    let private domain (op: OpCode) : ((DType -> int[] -> Gen<Tensor list>) * int list) option =
        match op with
        | OpCode.Add
        | OpCode.Subtract
        | OpCode.Multiply -> Some(operands [ anything; anything ], [])
        | OpCode.Divide -> Some(operands [ anything; awayFromZero ], [])
        | OpCode.MultiplyAdd -> Some(operands [ anything; anything; anything ], [])
        | OpCode.Maximum
        | OpCode.Minimum
        | OpCode.Greater
        | OpCode.GreaterOrEqual
        | OpCode.Equal -> Some(apart, [])
        | OpCode.Select -> Some(operands [ mask; anything; anything ], [ 0 ])
        | OpCode.Power -> Some(operands [ within 0.4 2.0; anything ], [])
        | OpCode.Atan2 -> Some(operands [ awayFromZero; awayFromZero ], [])
        | OpCode.Abs
        | OpCode.Sign -> Some(operands [ awayFromZero ], [])
        | OpCode.Floor -> Some(operands [ betweenSteps ], [])
        | OpCode.Sqrt
        | OpCode.ReciprocalSqrt
        | OpCode.Log -> Some(operands [ within 0.4 3.0 ], [])
        | OpCode.Log1p -> Some(operands [ within -0.6 2.0 ], [])
        | OpCode.ErfInverse -> Some(operands [ within -0.9 0.9 ], [])
        | OpCode.Negate
        | OpCode.Exp
        | OpCode.Expm1
        | OpCode.Sin
        | OpCode.Cos
        | OpCode.Tanh
        | OpCode.Sigmoid
        | OpCode.Softplus
        | OpCode.Erf -> Some(operands [ anything ], [])
        | _ -> None

    let private affine op =
        match op with
        | OpCode.Add
        | OpCode.Subtract
        | OpCode.Multiply -> [ 0; 1 ]
        | OpCode.Divide -> [ 0 ]
        | OpCode.MultiplyAdd -> [ 0; 1; 2 ]
        | OpCode.Select -> [ 1; 2 ]
        | OpCode.Negate -> [ 0 ]
        | _ -> []

    /// The functions for which no operands are given above.
    let missing = Enum.GetValues<OpCode>() |> Array.filter (domain >> Option.isNone)

    let entries: Entry list =
        [
            for op in Enum.GetValues<OpCode>() do
                match domain op with
                | None -> ()
                | Some(operands, held) ->
                    {
                        Name = string op
                        Type = typeof<Elementwise>
                        DTypes = Generators.floating
                        Affine = affine op
                        Variants = fun () -> [ Elementwise.Of op ]
                        Cases =
                            fun dtype ->
                                gen {
                                    let! shape = Generators.shape 0 3
                                    let! operands = operands dtype shape
                                    let! seed = Generators.seed

                                    return
                                        {
                                            Primitive = Elementwise.Of op
                                            Operands = List.toArray operands
                                            Held = held
                                            Seed = seed
                                        }
                                }
                    }
        ]
