namespace Curvature.Tests.Properties

open FsCheck
open FsCheck.FSharp
open Curvature

/// Cases of the primitives of dense linear algebra.
module internal DecompositionCases =

    let private ofSquares<'T> (variants: unit -> Primitive list) (make: unit -> Primitive) =
        StructureCases.entry<'T> Generators.floating [] variants (fun dtype ->
            gen {
                let! leading = Generators.shape 0 2
                let! n = Generators.length
                let! a = Generators.matrices leading n n dtype
                return make (), [ a ]
            })

    let private single<'T> (make: unit -> Primitive) = ofSquares<'T> (fun () -> [ make () ]) make

    let private solve =
        StructureCases.entry<Decompositions.Solve>
            Generators.floating
            [ 1 ]
            (fun () -> [ Decompositions.Solve "solve"; Decompositions.Solve "inverse" ])
            (fun dtype ->
                gen {
                    let! leading = Generators.shape 0 2
                    let! n = Generators.length
                    let! columns = Generators.length
                    let! a = Generators.matrices leading n n dtype
                    let! b = Generators.ordinary dtype (Array.append leading [| n; columns |])
                    return Decompositions.Solve "solve" :> Primitive, [ a; b ]
                })

    let private svd =
        StructureCases.entry<Decompositions.Svd>
            Generators.floating
            []
            (fun () -> [ Decompositions.Svd() ])
            (fun dtype ->
                gen {
                    let! leading = Generators.shape 0 1
                    let! rows = Generators.length
                    let! columns = Generators.length
                    let! a = Generators.matrices leading rows columns dtype
                    return Decompositions.Svd() :> Primitive, [ a ]
                })

    let private qr =
        StructureCases.entry<Decompositions.Qr> Generators.floating [] (fun () -> [ Decompositions.Qr() ]) (fun dtype ->
            gen {
                let! leading = Generators.shape 0 1
                let! columns = Generators.length
                let! more = Gen.choose (0, 2)
                let! a = Generators.matrices leading (columns + more) columns dtype
                return Decompositions.Qr() :> Primitive, [ a ]
            })

    let entries: Entry list =
        [
            solve
            single<Decompositions.Cholesky>(fun () -> Decompositions.Cholesky())
            single<Decompositions.EigH>(fun () -> Decompositions.EigH())
            svd
            qr
            ofSquares<Decompositions.Determinant>
                (fun () -> [ Decompositions.Determinant "det"; Decompositions.Determinant "logdet" ])
                (fun () -> Decompositions.Determinant "det")
        ]
