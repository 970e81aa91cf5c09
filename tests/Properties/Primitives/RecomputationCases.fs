namespace Curvature.Tests.Properties

open FsCheck
open FsCheck.FSharp
open Curvature
open Curvature.FSharp

/// Cases of checkpoints: small functions as one primitive.
module internal RecomputationCases =

    let private record (f: Tensor list -> Tensor list) (operands: Tensor list) : Primitive =
        let signatures = operands |> Seq.map _.Signature |> Seq.toArray

        Recomputation(Staging.stage operands.Head.Device signatures (List.ofArray >> f >> List.toArray), false)

    /// Functions of two tensors of one shape, some with several results; among the results are operands, views,
    /// constants, what lies in a checkpoint within, and what moves with no operand.
    let private functions (a: Tensor) : (Tensor list -> Tensor list) list =
        let first (f: Tensor -> Tensor -> Tensor list) =
            function
            | [ a; b ] -> f a b
            | _ -> []

        let constant = Tensor.arange a.DType 3

        [
            first (fun a b -> [ sin (a * b) + a ])
            first (fun a b -> [ tanh a * sin b; Tensor.sum (exp a) ])
            first (fun a b -> [ a; Tensor.flatten b; Tensor.flatten (a + 1.0) ])
            first (fun a b -> [ a * cos b; constant ])
            first (fun a b -> [ b * exp (sin a) + Tensor.checkpoint (fun z -> sin z * z + a * z) b ])
            first (fun a b -> [ Tensor.checkpoint (fun z -> tanh (z * Tensor.checkpoint sin a)) b ])
            first (fun a b -> let c = sin a in [ c * c + c * b; c * cos b ])
            first (fun a b ->
                let a, b = Tensor.flatten a, Tensor.flatten b
                [ Tensor.einsum "i,j->ij" (sin a) (a * b); Tensor.dot a (tanh b) ])
        ]

    let private entry affine (cases: DType -> Gen<Primitive * Tensor list>) =
        // It is recorded for one element type.
        StructureCases.entry<Recomputation> [ DType.Float64 ] affine (fun () -> []) cases

    let private any =
        entry [] (fun dtype ->
            gen {
                let! shape = Generators.shape 0 3
                let! a = Generators.ordinary dtype shape
                let! b = Generators.ordinary dtype shape
                let! f = Gen.elements (functions a)
                return record f [ a; b ], [ a; b ]
            })

    /// Of two operands, with the second one a coefficient.
    let private linear =
        let cases dtype =
            gen {
                let! rows = Generators.length
                let! columns = Generators.length
                let! a = Generators.ordinary dtype [| rows; columns |]
                let! w = Generators.ordinary dtype [| columns; 3 |]

                let f (operands: Tensor list) =
                    let a, w = operands[0], operands[1]
                    [ Tensor.matmul (a * 2.0) (sin w); Tensor.checkpoint (Tensor.sumAxes [ 0 ]) a ]

                return record f [ a; w ], [ a; w ]
            }

        { entry [ 0 ] cases with Name = "Recomputation, linear" }

    let entries: Entry list = [ any; linear ]
