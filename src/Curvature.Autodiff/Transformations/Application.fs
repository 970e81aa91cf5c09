namespace Curvature

open System

/// A primitive and what identifies its operands: equal applications compute equal values.
[<Struct; CustomEquality; NoComparison>]
type internal Application<'Operand when 'Operand: equality> =
    {
        Primitive: Primitive
        Operands: 'Operand[]
    }

    interface IEquatable<Application<'Operand>> with
        member this.Equals that =
            this.Operands.AsSpan().SequenceEqual(ReadOnlySpan that.Operands, null)
            && this.Primitive.Equals that.Primitive

    override this.Equals other =
        match other with
        | :? Application<'Operand> as that -> (this :> IEquatable<Application<'Operand>>).Equals that
        | _ -> false

    override this.GetHashCode() =
        let mutable code = this.Primitive.GetHashCode()

        for operand in this.Operands do
            code <- HashCode.Combine(code, operand)

        code
