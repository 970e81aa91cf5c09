namespace Curvature.Tests.Properties

open System
open FsCheck
open Curvature

/// A primitive with operands that fit it.
type internal Case =
    {
        Primitive: Primitive
        Operands: Tensor[]
        /// Operands along which the primitive has no derivative by convention or steps, such as masks: directions are 0
        /// there.
        Held: int list
        /// From which tangents and cotangents are drawn.
        Seed: int
    }

    override this.ToString() =
        let operands = this.Operands |> Array.map string |> String.concat "\n  "
        $"{this.Primitive} (seed {this.Seed}) of\n  {operands}"

/// How to test a primitive.
type internal Entry =
    {
        Name: string
        /// The class of its primitives.
        Type: Type
        /// Element types of its first operand that it computes with.
        DTypes: DType list
        /// Random cases.
        Cases: DType -> Gen<Case>
        /// Whether the results are an affine function of each operand while the others stay as they are.
        Affine: int list
        /// Primitives of this class that differ from each other.
        Variants: unit -> Primitive list
    }

    override this.ToString() = this.Name
