namespace Curvature

/// A primitive that is linear in its single operand: its derivative is itself.
[<AbstractClass>]
type internal LinearPrimitive(name: string, parameters: obj) =
    inherit Primitive(name, parameters)

    /// The adjoint applied to one cotangent per result, given the operand's signature.
    abstract Adjoint: cotangents: Tensor voption[] * operand: Signature -> Tensor voption

    override this.Jvp(_, _, tangents) = Interpreter.Bind(this, tangents[0].Value) |> Array.map ValueSome

    override this.Transpose(cotangents, operands) = [| this.Adjoint(cotangents, operands[0].Signature) |]
