namespace Curvature.FSharp

open Curvature

/// What is left of an operator outside an orthonormal basis Q, as rows.
module internal Deflation =

    /// I − QQᵀ.
    let private outside (basis: Panels) : Products = Products.ofMatmat (Rows.without basis)

    /// (I − QQᵀ)A(I − QQᵀ), of the same claims, by the products and quadratic forms of A.
    let symmetric (basis: Panels) (a: LinearOperator) : LinearOperator =
        let project = outside basis
        let around product = project |> Products.andThen product |> Products.andThen project

        LinearOperator.Of
            { a.Definition with
                Product = around a.Definition.Product
                Adjoint = a.Definition.Adjoint |> ValueOption.map around
                Forms = a.Definition.Forms |> ValueOption.map (fun forms -> project.Matmat >> forms)
                BlockForms = ValueNone
            }

    /// (I − QQᵀ)A, of no claims.
    let left (basis: Panels) (a: LinearOperator) : LinearOperator =
        let project = outside basis

        LinearOperator.Of
            { a.Definition with
                Properties = OperatorProperties.None
                Product = a.Definition.Product |> Products.andThen project
                Adjoint =
                    OperatorAlgebra.adjoint a.Definition
                    |> ValueOption.map (fun adjoint -> project |> Products.andThen adjoint)
                Forms = ValueNone
                BlockForms = ValueNone
            }

    /// zᵀBz for vectors z of a probe, where B = `symmetric basis a`. Forms of vectors of the sphere, or normal ones,
    /// are scaled as if their part outside the basis had length √(n − k) (Epperly, Tropp & Webber 2024, section 2.3).
    let forms (basis: Panels) probe (block: SampleBlock) : float[] =
        if ProbeKind.isContinuous probe then
            let dimension = float (basis.Length - basis.Count)
            let lengths = Rows.squares (Rows.without basis block.Vectors)
            Array.map2 (fun form length -> form * dimension / length) block.Forms lengths
        else
            block.Forms
