namespace Curvature

/// A function v ↦ g(v) at a fixed point θ, ready to be applied to vector after vector.
[<Sealed>]
type CompiledMap internal (values: Tensor list, input: Signature, apply: Tensor -> Tensor, applyBlock: Tensor -> Tensor) =
    /// What depends on the point alone, such as the loss and its gradient.
    member _.Values = values

    /// g(v) for one v.
    member _.Apply(v: Tensor) : Tensor =
        if v.Signature <> input then
            raise (
                ShapeException
                    $"the compiled map takes {input.DType}{Shape.show input.Shape}, and got {v.DType}{Shape.show v.Signature.Shape}"
            )

        apply v

    /// g of every slice along the leading axis of a block [k; …]; results are stacked likewise.
    member _.ApplyBlock(block: Tensor) : Tensor =
        let shape = block.Signature.Shape

        if shape.Length = 0 || Array.tail shape <> input.Shape || block.DType <> input.DType then
            raise (
                ShapeException
                    $"the compiled map takes blocks of {input.DType}{Shape.show input.Shape}, and got {block.DType}{Shape.show shape}"
            )

        applyBlock block

namespace Curvature.FSharp

open Curvature

/// Functions turned into plans: recorded once, optimised, and run many times.
[<RequireQualifiedAccess>]
module Compile =

    /// A map for every point θ. The function is given θ, and returns values that depend on θ alone and a function g of v.
    /// Work that does not depend on v is done once for each θ.
    let family (f: Tensor -> Tensor list * (Tensor -> Tensor)) : Tensor -> CompiledMap =
        fun theta ->
            let values, g = f theta
            CompiledMap(values, theta.Signature, g, vmap g)
